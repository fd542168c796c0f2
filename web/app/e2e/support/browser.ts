// Chromium of the distribution, and pages in it that are logged in.
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

import { PASSWORD, type Account } from './account';
import type { Server } from './server';

/** Starts Chromium without a window; `CHROMIUM` names another one. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What went wrong on pages: errors of scripts and refusals of the content policy. Tests expect it to be empty. */
export const complaints: string[] = [];

/** A page of its own browser profile. */
export async function openPage(
  browser: Browser,
  server: Server,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    locale: 'en',
    permissions: ['clipboard-read', 'clipboard-write'],
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (/Content Security Policy|TrustedHTML|Trusted Type/iu.test(message.text()))
      complaints.push(message.text());
  });
  await page.goto(server.url);
  return page;
}

/** A page on which the account is logged in, by the form as people do it. */
export async function logIn(
  browser: Browser,
  server: Server,
  account: Account,
  options: BrowserContextOptions = {},
): Promise<Page> {
  const page = await openPage(browser, server, options);
  await logInOn(page, account);
  return page;
}

/** Logs an account in on a page that shows the entrance. */
export async function logInOn(page: Page, account: Account): Promise<void> {
  await page.locator('input[autocomplete=username]').fill(account.name);
  await page.locator('input[autocomplete=current-password]').fill(PASSWORD);
  await page.keyboard.press('Enter');
  await page.locator('.list-side').waitFor();
}
