// What most tests begin with: a server and a browser for the file, and for each test two people with a conversation.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';

import { Account } from './account';
import { complaints, launch, logIn } from './browser';
import { open } from './page';
import { Server } from './server';

export let server: Server;
export let browser: Browser;
/** New for each test, as is everything below. */
export let mina: Account;
export let joon: Account;
/** What the two say to each other. */
export let direct: string;

let pages: Page[] = [];
let round = 0;

/** Sets all of it up, and clears it away; the server is started with these options. */
export function setUpPair(options: readonly string[] = []): void {
  beforeAll(async () => {
    [server, browser] = await Promise.all([Server.start(options), launch()]);
  });

  afterAll(async () => {
    await browser.close();
    await server.stop();
  });

  beforeEach(async () => {
    round += 1;
    mina = await Account.signUp(server.address, `mina${round}`, 'Mina Kim');
    joon = await Account.signUp(server.address, `joon${round}`, 'Joon');
    direct = await mina.direct(joon);
  });

  afterEach(async () => {
    await Promise.all(pages.map((page) => page.context().close()));
    pages = [];
    expect(complaints.splice(0)).toEqual([]);
  });
}

/** A page that is closed after the test. */
export function keep(page: Page): Page {
  pages.push(page);
  return page;
}

/** A page of an account, with the list. */
export async function enter(account: Account, options?: BrowserContextOptions): Promise<Page> {
  return keep(await logIn(browser, server, account, options));
}

/** A page of an account, with a conversation open. */
export async function at(account: Account, conversation = direct): Promise<Page> {
  const page = await enter(account);
  await open(page, conversation);
  return page;
}
