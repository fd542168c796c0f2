// Coming in: sign-up with its checks, recovery codes, log-in, recovery, by keyboard and in both languages.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { Account, PASSWORD } from './support/account';
import { complaints, launch, openPage } from './support/browser';
import { press } from './support/panels';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let pages: Page[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  expect(complaints.splice(0)).toEqual([]);
});

async function fresh(options: BrowserContextOptions = {}, path = ''): Promise<Page> {
  const page = await openPage(browser, server, options);
  pages.push(page);
  if (path !== '') await page.goto(server.url + path);
  await page.locator('form').waitFor();
  return page;
}

const name = (page: Page) => page.locator('input[autocomplete=username]');
const newPassword = (page: Page) => page.locator('input[autocomplete=new-password]');
const password = (page: Page) => page.locator('input[autocomplete=current-password]');

describe('sign-up', () => {
  it('checks while somebody types, shows the codes once, and keeps the token from scripts', async () => {
    const page = await fresh();
    await press(page, 'Sign up');
    await name(page).fill('Mi na');
    await page.getByText('Only a–z, 0–9, _ and dot').waitFor();
    await name(page).fill('m');
    await page.keyboard.press('Tab');
    await page.getByText('At least 2 characters').waitFor();
    await name(page).fill('Mina');
    await newPassword(page).fill('short');
    await page.getByText('Too short').waitFor();
    await newPassword(page).fill('correct horse battery');
    await page.getByText('Strong').waitFor();
    await page.getByLabel('Shown as').fill('Mina 김');
    await page.keyboard.press('Enter');

    await page.getByRole('heading', { name: 'Keep your recovery codes' }).waitFor();
    const codes = await page.locator('ol code').allTextContents();
    expect(codes).toHaveLength(10);
    expect(await page.getByRole('button', { name: 'Go on' }).isDisabled()).toBe(true);
    await press(page, 'Copy');
    await page.getByText('Copied', { exact: true }).waitFor();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toContain(codes.join('\n'));
    const downloading = page.waitForEvent('download');
    await press(page, 'Download');
    expect((await downloading).suggestedFilename()).toBe('suda-recovery-codes.txt');
    await page.getByLabel('I have stored them').check();
    await press(page, 'Go on');
    await page.locator('.list-side').waitFor();

    const cookie = (await page.context().cookies()).find((one) => one.name === 'suda');
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/' });
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, cookie: document.cookie }));
    expect(kept).not.toContain(cookie?.value);
    await page.reload();
    await page.locator('.list-side').waitFor();
  });

  it('says at the field that a name is taken, until it is changed', async () => {
    await Account.signUp(server.address, 'taken');
    const page = await fresh();
    await press(page, 'Sign up');
    await name(page).fill('taken');
    await newPassword(page).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByText('The name is taken.').waitFor();
    expect(await name(page).getAttribute('aria-invalid')).toBe('true');
    await name(page).fill('taken2');
    await page.getByText('The name is taken.').waitFor({ state: 'detached' });
  });

  it('asks for an invitation where the server wants one, and takes it from the address', async () => {
    const closed = await Server.start(['--signup', 'invite']);
    try {
      const page = await openPage(browser, closed);
      pages.push(page);
      await press(page, 'Sign up');
      await name(page).fill('guest');
      await newPassword(page).fill(PASSWORD);
      expect(await page.getByLabel('Invitation').count()).toBe(0);
      await page.keyboard.press('Enter');
      await page.getByText('The invitation is missing, used or expired.').waitFor();
      await page.getByLabel('Invitation').fill('wrong');
      await page.keyboard.press('Enter');
      await page.getByText('The invitation is missing, used or expired.').waitFor();
      await page.goto(`${closed.url}/?invite=abc`);
      expect(await page.getByLabel('Invitation').inputValue()).toBe('abc');
    } finally {
      await closed.stop();
    }
  });
});

describe('log-in', () => {
  it('says what is wrong in the chosen language, and works by keyboard alone', async () => {
    await Account.signUp(server.address, 'sora');
    const page = await fresh({ locale: 'ko' });
    expect(await page.getAttribute('html', 'lang')).toBe('ko');
    await name(page).fill('sora');
    await page.keyboard.press('Tab');
    await page.keyboard.type('not the password');
    await page.keyboard.press('Enter');
    await page.getByText('이름 또는 비밀번호가 올바르지 않습니다.').waitFor();
    await page.getByRole('button', { name: '언어' }).click();
    await page.getByRole('menuitemradio', { name: 'English' }).click();
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    await password(page).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('.list-side').waitFor();
    expect(await page.getAttribute('html', 'lang')).toBe('en');
  });

  it('leads on to the address that was opened', async () => {
    await Account.signUp(server.address, 'deep');
    const page = await fresh({}, '/settings/devices');
    await name(page).fill('deep');
    await password(page).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Devices' }).waitFor();
  });

  it('sets a new password with a recovery code', async () => {
    const account = await Account.signUp(server.address, 'forgetful');
    const { recovery_codes: codes } = await account.rest<{ recovery_codes: string[] }>(
      'POST',
      '/v1/account/recovery-codes',
      { password: PASSWORD },
    );
    const page = await fresh();
    await press(page, 'Forgot your password?');
    await name(page).fill('forgetful');
    // As somebody types it from paper.
    await page.getByLabel('Recovery code').fill(` ${(codes[0] ?? '').toUpperCase().replaceAll('-', ' ')} `);
    await newPassword(page).fill('another horse battery');
    await page.keyboard.press('Enter');
    await page.locator('.list-side').waitFor();
    await expect(account.rest('GET', '/v1/account')).rejects.toThrow('401');
  });
});

describe.each<[string, BrowserContextOptions]>([
  ['light', {}],
  ['dark, Korean, on a phone', { colorScheme: 'dark', locale: 'ko', viewport: { width: 360, height: 740 } }],
])('%s', (_, options) => {
  it('is fit for everybody', async () => {
    const page = await fresh(options);
    expect(await violations(page)).toEqual([]);
    await page.locator('.other button').click();
    expect(await violations(page)).toEqual([]);
    await name(page).fill(`axe${String(options.locale)}`);
    await newPassword(page).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.locator('ol code').first().waitFor();
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  });
});
