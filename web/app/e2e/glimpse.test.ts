// What is on screen before the app runs: the list as its account saw it last, and never that of anybody else.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Account, PASSWORD } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { agree, press, visit } from './support/panels';
import { Server } from './support/server';

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  // Without its app and its worker the page complains, as it should; not of the content policy.
  expect(complaints.filter((one) => /Content Security Policy|Trusted/iu.test(one))).toEqual([]);
});

/** Waits until something is kept that names a conversation. */
async function keeps(page: Page, title: string): Promise<void> {
  await page.waitForFunction((text) => localStorage.getItem('suda.glimpse')?.includes(text), title);
}

const glimpse = (page: Page) => page.locator('#app > [data-glimpse]');

/** Loads the page anew, without its app. */
async function reloadBare(page: Page): Promise<void> {
  await page.route('**/assets/page-*.js', (route) => route.abort());
  await page.reload();
  // The script that shows it has run by then.
  await page.waitForLoadState('load');
}

async function reloadWhole(page: Page): Promise<void> {
  await page.unroute('**/assets/page-*.js');
  await page.reload();
}

it('is the list of whoever is logged in, and of nobody else', async () => {
  const mina = await Account.signUp(server.address, 'mina', 'Mina');
  const joon = await Account.signUp(server.address, 'joon', 'Joon');
  const group = await mina.group('Plans of Mina', []);
  await mina.send(group, 'A secret of Mina');
  await joon.group('Plans of Joon', []);
  // A worker would answer for the network, out of reach of the test.
  const page = await logIn(browser, server, mina, { serviceWorkers: 'block' });
  await keeps(page, 'A secret of Mina');

  await reloadBare(page);
  await glimpse(page).getByText('Plans of Mina').waitFor();
  await glimpse(page).getByText('A secret of Mina').waitFor();
  // A row that is pressed too early is opened by the app.
  await glimpse(page).getByText('Plans of Mina').click();
  expect(new URL(page.url()).pathname).toBe(`/c/${group}`);

  await reloadWhole(page);
  await page.locator(`[data-conversation="${group}"]`).waitFor();
  expect(await glimpse(page).count()).toBe(0);
  expect(await page.locator('.shell').count()).toBe(1);

  await visit(page, '/settings');
  await press(page, 'Log out');
  await agree(page, 'Log out');
  await page.locator('input[autocomplete=username]').waitFor();
  expect(await page.evaluate(() => localStorage.getItem('suda.glimpse'))).toBeNull();
  await reloadBare(page);
  expect(await page.locator('#app').textContent()).toBe('');

  await reloadWhole(page);
  await page.locator('input[autocomplete=username]').fill('joon');
  await page.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await keeps(page, 'Plans of Joon');
  await reloadBare(page);
  await glimpse(page).getByText('Plans of Joon').waitFor();
  expect(await page.locator('#app').textContent()).not.toContain('Mina');
  await page.context().close();
});

it('is not shown to the next one where a tab of the one before is still open', async () => {
  const anna = await Account.signUp(server.address, 'anna', 'Anna');
  await Account.signUp(server.address, 'bora', 'Bora');
  const group = await anna.group('Plans of Anna', []);
  const first = await logIn(browser, server, anna, { serviceWorkers: 'block' });
  await keeps(first, 'Plans of Anna');
  const second = await first.context().newPage();
  await second.goto(server.url);
  await second.locator(`[data-conversation="${group}"]`).waitFor();
  await visit(second, '/settings');
  await press(second, 'Log out');
  await agree(second, 'Log out');
  await second.locator('input[autocomplete=username]').fill('bora');
  await second.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await second.keyboard.press('Enter');
  await second.locator('.list-side').waitFor();
  await second.waitForFunction(() => localStorage.getItem('suda.entered') !== null);
  // The tab of the one before still shows that list, and changes it.
  await first.evaluate(() => {
    document.querySelector('.list-side')?.setAttribute('class', 'list-side changed');
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  expect(await first.evaluate(() => localStorage.getItem('suda.glimpse') ?? '')).not.toContain('Anna');
  await reloadBare(second);
  expect(await second.locator('#app').textContent()).not.toContain('Anna');
  await first.context().close();
});
