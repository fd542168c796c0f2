// The list of conversations: search, unread, mute, archive, pins, drafts, the keyboard, thousands of rows.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { composer, say } from './support/page';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let mina: Account;
let joon: Account;
let page: Page | undefined;
let round = 0;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    Server.start(['--rate-account-per-second', '100000', '--rate-account-burst', '100000']),
    launch(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

beforeEach(async () => {
  round += 1;
  mina = await Account.signUp(server.address, `mina${round}`, 'Mina Kim');
  joon = await Account.signUp(server.address, `joon${round}`, '이준호');
});

afterEach(async () => {
  await page?.context().close();
  page = undefined;
  expect(complaints.splice(0)).toEqual([]);
});

async function at(account: Account): Promise<Page> {
  page = await logIn(browser, server, account);
  return page;
}

function row(on: Page, title: string): ReturnType<Page['locator']> {
  return on.locator('[data-conversation]', { has: on.locator('.title', { hasText: title }) });
}

async function titles(on: Page): Promise<string[]> {
  const all = await on.locator('li:has([data-conversation])').all();
  const placed = await Promise.all(
    all.map(async (item) => ({
      y: (await item.boundingBox())?.y ?? 0,
      title: await item.locator('.title').textContent(),
    })),
  );
  return placed.sort((a, b) => a.y - b.y).map(({ title }) => title ?? '');
}

async function choose(on: Page, title: string, action: string): Promise<void> {
  await row(on, title).click({ button: 'right' });
  await on.getByRole('menuitem', { name: action, exact: true }).click();
}

it('is empty at first, and says what to do', async () => {
  const minas = await at(mina);
  await minas.getByRole('heading', { name: 'No conversations yet' }).waitFor();
  await minas.getByRole('button', { name: 'Start a conversation' }).click();
  expect(new URL(minas.url()).pathname).toBe('/new');
});

it('counts unread and mentions, and is read from its menu', async () => {
  const group = await joon.group('Team', [mina]);
  await joon.send(group, 'one');
  await joon.send(group, '@all two', { mentions: [{ who: 'all', start: 0, length: 4 }] });
  const minas = await at(mina);
  await row(minas, 'Team').getByText('2 unread messages, 1 mention').waitFor({ state: 'attached' });
  await row(minas, 'Team').getByText('이준호').waitFor();
  await choose(minas, 'Team', 'Mark as read');
  await row(minas, 'Team').locator('.badge').first().waitFor({ state: 'detached' });
});

it('pins, mutes and archives, on all devices', async () => {
  for (const title of ['One', 'Two', 'Three']) await joon.send(await joon.group(title, [mina]), 'hello');
  const minas = await at(mina);
  await expect.poll(() => titles(minas)).toEqual(['Three', 'Two', 'One']);
  await choose(minas, 'One', 'Pin');
  await expect.poll(() => titles(minas)).toEqual(['One', 'Three', 'Two']);
  await choose(minas, 'Three', 'Mute for 1 hour');
  await row(minas, 'Three').getByText('muted').waitFor({ state: 'attached' });
  await choose(minas, 'Two', 'Archive');
  await expect.poll(() => titles(minas)).toEqual(['One', 'Three']);

  const second = await logIn(browser, server, mina);
  await expect.poll(() => titles(second)).toEqual(['One', 'Three']);
  await second.getByRole('button', { name: /Archived/ }).click();
  await expect.poll(() => titles(second)).toEqual(['Two']);
  await choose(second, 'Two', 'Move out of archive');
  await expect.poll(() => titles(second)).toEqual(['One', 'Three', 'Two']);
  await second.context().close();
});

it('shows who types in a conversation that was opened', async () => {
  const direct = await mina.direct(joon);
  const minas = await at(mina);
  await row(minas, '이준호').click();
  await composer(minas).waitFor();
  const joons = await logIn(browser, server, joon);
  await joons.locator(`[data-conversation="${direct}"]`).click();
  await composer(joons).pressSequentially('thinking');
  await row(minas, '이준호').getByText('typing…').waitFor();
  await say(joons, 'done');
  await row(minas, '이준호').getByText('done').waitFor();
  await joons.context().close();
});

it('is searched from the keyboard: by words, by Korean initials, and by what is archived', async () => {
  for (const title of ['Book club', '한라산 등산', 'The bookshop'])
    await joon.send(await joon.group(title, [mina]), 'x');
  const minas = await at(mina);
  await choose(minas, 'The bookshop', 'Archive');
  await minas.keyboard.press('Control+k');
  await minas.keyboard.type('book');
  await expect.poll(() => titles(minas)).toEqual(['Book club', 'The bookshop']);
  await minas.keyboard.press('Escape');
  await minas.keyboard.type('ㅎㄹㅅ');
  await expect.poll(() => titles(minas)).toEqual(['한라산 등산']);
  await minas.keyboard.press('ArrowDown');
  await minas.keyboard.press('Enter');
  await minas.getByRole('main').getByRole('heading', { name: '한라산 등산' }).waitFor();
  await minas.keyboard.press('Control+k');
  await minas.keyboard.press('Control+a');
  await minas.keyboard.type('nothing like it');
  await minas.getByText('Nothing found for “nothing like it”.').waitFor();
});

it('renders a thousand conversations as few, reaches the last one by the keyboard, and keeps the focus', async () => {
  const COUNT = 1_000;
  for (let count = 0; count < COUNT; count += 50) {
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        mina.group(`Group ${String(count + at + 1).padStart(4, '0')}`, []),
      ),
    );
  }
  const minas = await at(mina);
  await row(minas, 'Group').first().waitFor();
  await minas.keyboard.press('Control+k');
  await minas.keyboard.press('ArrowDown');
  // Further rows are loaded as the end comes near.
  await expect
    .poll(
      async () => {
        await minas.keyboard.press('End');
        return minas.locator('li[aria-setsize]').first().getAttribute('aria-setsize');
      },
      { timeout: 30_000 },
    )
    .toBe(String(COUNT));
  await minas.keyboard.press('End');
  const focused = minas.locator(':focus');
  await expect.poll(() => focused.locator('..').getAttribute('aria-posinset')).toBe(String(COUNT));
  expect(await minas.locator('[data-conversation]').count()).toBeLessThan(60);
  await minas
    .locator('.scroller')
    .first()
    .evaluate((scroller) => (scroller.scrollTop = 0));
  await expect.poll(() => focused.locator('..').getAttribute('aria-posinset')).toBe(String(COUNT));
  await minas.keyboard.press('Home');
  await expect.poll(() => focused.locator('..').getAttribute('aria-posinset')).toBe('1');
});
