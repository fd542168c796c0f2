// What a first load costs: scripts and styles until the list can be read, as a server sends them compressed.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Account } from './support/account';
import { launch, openPage } from './support/browser';
import { Server } from './support/server';

const DIST = resolve(import.meta.dirname, '../dist');
const MOST_BYTES = 80 * 1024;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

it('the entrance of a new visitor and the list of whoever is logged in stay below the bound', async () => {
  const mina = await Account.signUp(server.address, 'mina', 'Mina');
  await mina.group('Team', []);
  const page = await openPage(browser, server);
  await page.locator('input[autocomplete=username]').waitFor();
  expect(await loaded(page)).toBeLessThanOrEqual(MOST_BYTES);
  await page.locator('input[autocomplete=username]').fill('mina');
  await page.locator('input[autocomplete=current-password]').fill('correct horse battery');
  await page.keyboard.press('Enter');
  await page.locator('[data-conversation]').waitFor();
  await page.addInitScript(() => {
    const watch = new MutationObserver(() => {
      if (document.querySelector('[data-conversation]') === null) return;
      performance.mark('readable');
      watch.disconnect();
    });
    watch.observe(document, { childList: true, subtree: true });
  });
  await page.reload();
  await page.locator('[data-conversation]').waitFor();
  expect(await loaded(page)).toBeLessThanOrEqual(MOST_BYTES);
  await page.context().close();

  /** Bytes of the scripts and styles that the page asked for until then, compressed one by one. */
  async function loaded(on: typeof page): Promise<number> {
    const urls = await on.evaluate(() => {
      const until = performance.getEntriesByName('readable')[0]?.startTime ?? Infinity;
      const resources = performance.getEntriesByType('resource');
      return resources.filter(({ startTime }) => startTime <= until).map(({ name }) => name);
    });
    const paths = urls
      .map((url) => new URL(url).pathname)
      .filter((path) => /^\/assets\/.*\.(js|css)$/u.test(path));
    const sizes = [...new Set(paths)].map(
      (path) => gzipSync(readFileSync(join(DIST, path)), { level: 9 }).length,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }
});
