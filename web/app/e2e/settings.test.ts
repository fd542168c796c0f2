// The account's settings: profile, privacy, password, recovery codes, devices, language and theme, and the ways out.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { Account, PASSWORD } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { agree, press, visit } from './support/panels';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let mina: Account;
let pages: Page[] = [];
let round = 0;

interface Own {
  display_name: string;
  about?: string;
  colour: number;
  language: string;
  who_may_see: string;
}

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
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  expect(complaints.splice(0)).toEqual([]);
});

async function at(path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await logIn(browser, server, mina, options);
  pages.push(page);
  await visit(page, path);
  return page;
}

const own = (): Promise<Own> => mina.rest<Own>('GET', '/v1/account');

it('change the profile, and tell the other tab', async () => {
  const [page, other] = [await at('/settings/profile'), await at('/settings')];
  await page.getByLabel('Shown as').fill('');
  await page.getByText('1 to 64 characters on one line').waitFor();
  await page.getByLabel('Shown as').fill('민아 Mina');
  await page.getByLabel('About you').fill('Away until Monday');
  await page.getByRole('slider', { name: 'Colour' }).fill('200');
  await press(page, 'Save');
  await page.getByText('Saved.').waitFor();
  expect(await own()).toMatchObject({ display_name: '민아 Mina', about: 'Away until Monday', colour: 200 });
  await other.getByRole('heading', { name: '민아 Mina' }).waitFor();
});

it('change who may see the account', async () => {
  const page = await at('/settings/privacy');
  await page.getByLabel('Who may see when you are online, type or have read').selectOption('Nobody');
  await page.getByText('Saved.').waitFor();
  expect((await own()).who_may_see).toBe('nobody');
});

it('change language and theme at once, and keep them', async () => {
  const page = await at('/settings/look');
  await page.getByLabel('Theme').selectOption('Dark');
  expect(await page.getAttribute('html', 'data-theme')).toBe('dark');
  await page.getByLabel('Language').selectOption('한국어');
  await page.getByRole('heading', { name: '언어와 테마' }).waitFor();
  await expect.poll(async () => (await own()).language).toBe('ko');
  await page.reload();
  await page.getByRole('heading', { name: '언어와 테마' }).waitFor();
  expect(await page.getAttribute('html', 'data-theme')).toBe('dark');
  // Another browser that never chose follows the account.
  const other = await at('/settings');
  await other.getByRole('heading', { name: '설정', exact: true }).waitFor();
});

it('change the password, which logs other devices out', async () => {
  const page = await at('/settings/security');
  await page.getByLabel('Present password').fill('wrong wrong');
  await page.getByLabel('New password').fill('another horse battery');
  await press(page, 'Change password');
  await page.getByText('Name or password is wrong.').waitFor();
  await page.getByLabel('Present password').fill(PASSWORD);
  await press(page, 'Change password');
  await page.getByText('The password is changed. Other devices were logged out.').waitFor();
  await expect(own()).rejects.toThrow('401');
});

it('make new recovery codes after asking for the password', async () => {
  const page = await at('/settings/security');
  await page.getByText('10 unused recovery codes are left.').waitFor();
  await press(page, 'Make new recovery codes');
  await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill('wrong wrong');
  await page.keyboard.press('Enter');
  await page.getByText('Name or password is wrong.').waitFor();
  expect(await violations(page)).toEqual([]);
  await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('ol code').nth(9).waitFor();
  await page.getByLabel('I have stored them').check();
  await press(page, 'Go on');
  await page.getByRole('heading', { name: 'Change password' }).waitFor();
});

it('list the devices, and log one of them out', async () => {
  const page = await at('/settings/devices');
  await page.getByText('This device').waitFor();
  expect(await violations(page)).toEqual([]);
  await press(page, 'Log out test');
  await agree(page, 'Log out');
  await page.getByRole('button', { name: 'Log out test' }).waitFor({ state: 'detached' });
  await expect(own()).rejects.toThrow('401');
});

it('log out from elsewhere leads to the entrance, which says so', async () => {
  const page = await at('/settings');
  const { devices } = await mina.rest<{ devices: { device: string; platform: string }[] }>(
    'GET',
    '/v1/devices',
  );
  const device = devices.find(({ platform }) => platform === 'web')?.device ?? '';
  await mina.rest('DELETE', `/v1/devices/${device}`);
  await press(page, 'Log in again');
  await page.getByText('This device was logged out. Log in again; what waits to be sent is kept.').waitFor();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
});

it('log in again in one tab, and go on in the other one', async () => {
  const first = await at('/settings');
  const second = await first.context().newPage();
  await second.goto(first.url());
  await second.locator('main h1').waitFor();
  await press(second, 'Log out');
  await agree(second, 'Log out');
  await second.locator('input[autocomplete=username]').fill(mina.name);
  expect(new URL(second.url()).pathname).toBe('/');
  await second.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await second.keyboard.press('Enter');
  await second.locator('.list-side').waitFor();
  await press(first, 'Log in again');
  await first.getByRole('heading', { name: 'Choose a conversation' }).waitFor();
  await second.reload();
  await second.locator('.list-side').waitFor();
});

it('log out, after which nothing is left', async () => {
  const page = await at('/settings');
  await press(page, 'Log out');
  await agree(page, 'Log out');
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  expect((await page.context().cookies()).find((one) => one.name === 'suda')).toBeUndefined();
  await page.reload();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
});

it('delete the account after asking for the password', async () => {
  const page = await at('/settings/security');
  await press(page, 'Delete account');
  await page.getByRole('dialog').getByLabel('Password', { exact: true }).fill(PASSWORD);
  await press(page.getByRole('dialog'), 'Delete for good');
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  await expect(own()).rejects.toThrow('401');
});

it.each<[string, BrowserContextOptions]>([
  ['light', {}],
  ['dark, Korean, on a phone', { colorScheme: 'dark', locale: 'ko', viewport: { width: 360, height: 740 } }],
])('are fit for everybody: %s', async (_, options) => {
  if (options.locale === 'ko') await mina.rest('PATCH', '/v1/account', { language: 'ko' });
  const page = await at('/settings', options);
  for (const part of [
    '',
    '/profile',
    '/privacy',
    '/notifications',
    '/look',
    '/devices',
    '/security',
    '/about',
  ]) {
    await visit(page, `/settings${part}`);
    expect(await violations(page), part).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), part).toBe(true);
  }
});

it('shortcuts of a single key can be switched off in this browser, and on again', async () => {
  const page = await at('/settings');
  const [list, search] = [page.getByRole('dialog'), page.getByLabel('Search', { exact: true })];
  const plain = list.getByLabel('Shortcuts of a single letter or sign');
  await press(page, 'Keyboard shortcuts');
  expect(await violations(page)).toEqual([]);
  expect(await list.locator('kbd', { hasText: '/' }).count()).toBe(1);
  await plain.uncheck();
  expect(await list.locator('kbd', { hasText: '/' }).count()).toBe(0);
  for (const start of ['before', 'after a reload']) {
    if (start === 'before') await page.keyboard.press('Escape');
    else await page.reload();
    await page.locator('main h1').waitFor();
    await page.keyboard.press('?');
    await page.keyboard.press('/');
    await page.keyboard.press('Control+k');
    await expect.poll(() => search.evaluate((box) => box === document.activeElement)).toBe(true);
    expect(await search.inputValue()).toBe('');
    expect(await list.count()).toBe(0);
    await search.blur();
  }
  await press(page, 'Keyboard shortcuts');
  await plain.check();
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await plain.waitFor();
});
