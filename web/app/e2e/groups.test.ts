// Groups: made, changed, handed over, left, dissolved; and offered to each role is what the table of rights says.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { composer } from './support/page';
import { agree, choose, person, press, visit } from './support/panels';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let mina: Account;
let joon: Account;
let sora: Account;
let pages: Page[] = [];
let round = 0;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    Server.start(['--rate-login-per-minute', '100000', '--rate-login-burst', '100000']),
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
  joon = await Account.signUp(server.address, `joon${round}`, 'Joon');
  sora = await Account.signUp(server.address, `sora${round}`, 'Sora');
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  expect(complaints.splice(0)).toEqual([]);
});

async function at(account: Account, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await logIn(browser, server, account, options);
  pages.push(page);
  await visit(page, path);
  return page;
}

/** What the menu of a member's row offers. */
async function offered(page: Page, name: string): Promise<string[]> {
  await person(page, name).locator('[aria-haspopup=menu]').click();
  const lines = await page.getByRole('menuitem').allInnerTexts();
  await page.keyboard.press('Escape');
  return lines.map((line) => line.trim());
}

it('are made with a title and members', async () => {
  const page = await at(mina, '/new/group');
  await press(page, 'Create group');
  await page.getByText('Give the group a title').waitFor();
  await page.getByLabel('Title').fill('Lunch');
  for (const one of ['joon', 'sora']) {
    await page.getByRole('searchbox', { name: 'Find people by name' }).fill(`${one}${round}`);
    await page.locator('main input[type=checkbox]').check();
  }
  await page.getByRole('button', { name: 'Take Sora out' }).click();
  expect(await violations(page)).toEqual([]);
  await press(page, 'Create group');
  await composer(page).waitFor();
  await visit(page, `${new URL(page.url()).pathname}/details`);
  await person(page, 'Joon').waitFor();
  expect(await page.locator('main ul li').count()).toBe(2);
});

it('are run by their owner', async () => {
  const group = await mina.group('Lunch', [joon]);
  const page = await at(mina, `/c/${group}/details`);
  await press(page, 'Rename');
  await page.getByRole('dialog').getByLabel('Title').fill('Dinner');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Dinner' }).waitFor();

  await press(page, 'Add members');
  await page.getByRole('dialog').getByRole('searchbox').fill(`sora${round}`);
  await page.getByRole('dialog').getByRole('checkbox', { name: 'Sora' }).check();
  expect(await violations(page)).toEqual([]);
  await agree(page, 'Add');
  await person(page, 'Sora').waitFor();

  await choose(page, person(page, 'Joon'), 'Make admin');
  await person(page, 'Joon').getByText('Admin').waitFor();
  await page.getByLabel('New members see').selectOption('All messages');
  await page.getByLabel('Messages can be edited for').selectOption('15 minutes');
  await page.getByText('Saved.').waitFor();
  await choose(page, person(page, 'Sora'), 'Remove from group');
  await agree(page, 'Remove from group');
  await person(page, 'Sora').waitFor({ state: 'detached' });
  expect(await violations(page)).toEqual([]);

  expect(await page.getByRole('button', { name: 'Leave group' }).count()).toBe(0);
  await choose(page, person(page, 'Joon'), 'Hand the group over');
  await agree(page, 'Hand the group over');
  await person(page, 'Joon').getByText('Owner').waitFor();
  await press(page, 'Leave group');
  await agree(page, 'Leave group');
  await page.waitForURL(server.url + '/');
  const { members } = await joon.request<{ members: { account: string; role: string }[] }>('conversation', {
    conversation: group,
  });
  expect(members.map(({ account, role }) => [account, role])).toEqual([[joon.id, 'owner']]);
  await expect(mina.send(group, 'x')).rejects.toThrow('not_member');
});

it('are closed for good by their owner only after a question', async () => {
  const group = await mina.group('Lunch', [joon]);
  const page = await at(mina, `/c/${group}/details`);
  await press(page, 'Dissolve group');
  await press(page.getByRole('dialog'), 'Cancel');
  await joon.send(group, 'still here');
  await press(page, 'Dissolve group');
  await agree(page, 'Dissolve group');
  await page.getByText('This group was dissolved.').waitFor();
  expect(await page.getByRole('button', { name: 'Add members' }).count()).toBe(0);
  await expect(joon.send(group, 'x')).rejects.toThrow('dissolved');
  await press(page, 'Leave group');
});

it('offer each role what it may do, and nothing else', async () => {
  const group = await mina.group('Lunch', [joon, sora]);
  await mina.rest('PUT', `/v1/groups/${group}/members/${joon.id}/role`, { role: 'admin' });
  const [owners, admins, members] = [
    await at(mina, `/c/${group}/details`),
    await at(joon, `/c/${group}/details`),
    await at(sora, `/c/${group}/details`),
  ];
  await person(owners, 'Joon').getByText('Admin').waitFor();
  expect(await offered(owners, 'Joon')).toEqual([
    'Message',
    'Make member',
    'Hand the group over',
    'Remove from group',
  ]);
  expect(await offered(owners, 'Sora')).toEqual([
    'Message',
    'Make admin',
    'Hand the group over',
    'Remove from group',
  ]);
  await person(admins, 'Mina Kim').getByText('Owner').waitFor();
  expect(await offered(admins, 'Mina Kim')).toEqual(['Message']);
  expect(await offered(admins, 'Sora')).toEqual(['Message', 'Remove from group']);
  await person(members, 'Mina Kim').getByText('Owner').waitFor();
  expect(await offered(members, 'Joon')).toEqual(['Message']);
  const buttons = async (page: Page): Promise<string[]> =>
    (await page.locator('main').getByRole('button').allInnerTexts())
      .map((text) => text.trim())
      .filter(Boolean);
  expect(await buttons(owners)).toEqual(['Add members', 'Dissolve group']);
  expect(await buttons(admins)).toEqual(['Add members', 'Leave group']);
  expect(await buttons(members)).toEqual(['Leave group']);
  expect(await members.getByRole('combobox').count()).toBe(0);
  expect(await violations(members)).toEqual([]);
});

it('of 100 members are searched at once', async () => {
  const others = await Promise.all(
    Array.from({ length: 99 }, (_, index) =>
      Account.signUp(server.address, `m${round}_${index}`, `Member ${index}`),
    ),
  );
  const group = await mina.group('Many', others);
  const page = await at(mina, `/c/${group}/details`);
  await page.getByText('Members · 100').waitFor();
  await page.getByRole('searchbox', { name: 'Search members' }).fill('member 57');
  await person(page, 'Member 57').waitFor();
  expect(await page.locator('main ul li').count()).toBe(1);
  await choose(page, person(page, 'Member 57'), 'Make admin');
  await person(page, 'Member 57').getByText('Admin').waitFor();
});
