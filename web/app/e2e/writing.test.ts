// Writing beside other things: what is being written survives edits, answers and reloads, and nobody types into the void.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { bubble, composer, messages, open, seen } from './support/page';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let mina: Account;
let joon: Account;
let group: string;
let page: Page;
let round = 0;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

beforeEach(async () => {
  round += 1;
  mina = await Account.signUp(server.address, `mina${round}`, 'Mina Kim');
  joon = await Account.signUp(server.address, `joon${round}`, 'Joon');
  group = await mina.group('Team', [joon]);
  await joon.send(group, 'a question');
  await mina.send(group, 'an old text');
  page = await logIn(browser, server, mina);
  await open(page, group);
  await seen(page, 'an old text');
});

afterEach(async () => {
  await page.context().close();
  expect(complaints.splice(0)).toEqual([]);
});

/** Presses a key on a message, as somebody who went there with the arrow keys. */
async function onMessage(text: string, key: string): Promise<void> {
  await bubble(page, text).focus();
  await page.keyboard.press(key);
}

/** The mentions of the newest message, as others see them. */
async function mentioned(): Promise<unknown> {
  const { entries } = await joon.request<{ entries: { mentions?: unknown[] }[] }>('history', {
    conversation: group,
    range: { newest: { limit: 1 } },
  });
  return entries.at(-1)?.mentions?.length ?? 0;
}

it('goes into the box from the first key on', async () => {
  await expect.poll(() => composer(page).evaluate((box) => box === document.activeElement)).toBe(true);
  await page.keyboard.type('nice');
  expect(await composer(page).inputValue()).toBe('nice');
  expect(new URL(page.url()).pathname).toBe(`/c/${group}`);
});

it('an edit that is left for an answer gives the draft back', async () => {
  await composer(page).fill('hello');
  await onMessage('an old text', 'e');
  await expect.poll(() => composer(page).inputValue()).toBe('an old text');
  await onMessage('a question', 'r');
  await expect.poll(() => composer(page).inputValue()).toBe('hello');
  await page.keyboard.press('Enter');
  await bubble(page, 'hello').locator('.quote', { hasText: 'a question' }).waitFor();
  expect(await messages(page)).toEqual(['a question', 'an old text', 'hello']);
});

it('a name that is chosen in an edit does not become the draft', async () => {
  await composer(page).fill('hello');
  await onMessage('an old text', 'e');
  await expect.poll(() => composer(page).inputValue()).toBe('an old text');
  await composer(page).pressSequentially(' @Jo');
  await page.getByRole('option', { name: 'Joon' }).waitFor();
  await page.keyboard.press('Enter');
  expect(await composer(page).inputValue()).toBe('an old text @Joon ');
  await page.keyboard.press('Escape');
  await expect.poll(() => composer(page).inputValue()).toBe('hello');
});

it('a chosen name stays a mention through an answer that was given up, an edit and a reload', async () => {
  await composer(page).pressSequentially('hi @Jo');
  await page.getByRole('option', { name: 'Joon' }).waitFor();
  await page.keyboard.press('Enter');
  await onMessage('a question', 'r');
  await page.keyboard.press('Escape');
  await onMessage('an old text', 'e');
  await page.keyboard.press('Escape');
  await composer(page).press('Enter');
  await bubble(page, 'hi @Joon').locator('[data-stage=sent]').waitFor();
  expect(await mentioned()).toBe(1);

  await composer(page).pressSequentially('bye @Jo');
  await page.getByRole('option', { name: 'Joon' }).waitFor();
  await page.keyboard.press('Enter');
  await composer(page).blur();
  await page.reload();
  await expect.poll(() => composer(page).inputValue()).toBe('bye @Joon ');
  await composer(page).press('Enter');
  await bubble(page, 'bye @Joon').locator('[data-stage=sent]').waitFor();
  expect(await mentioned()).toBe(1);
});

it('names are offered again after an offer was refused and the text taken back', async () => {
  await composer(page).pressSequentially('@Jo');
  await page.getByRole('option', { name: 'Joon' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('option', { name: 'Joon' }).waitFor({ state: 'detached' });
  for (let key = 0; key < 3; key += 1) await page.keyboard.press('Backspace');
  await composer(page).pressSequentially('@Jo');
  await page.getByRole('option', { name: 'Joon' }).waitFor();
});
