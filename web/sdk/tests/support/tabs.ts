/** Tabs of a real browser that run the SDK, served by a proxy in front of a real server. */

import { build } from 'esbuild';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { resolve } from 'node:path';

import type * as Package from '../../src/index.js';
import type { Proxy } from './proxy.js';

/** What a tab has at hand. */
export interface TabGlobals {
  suda: typeof Package;
  client: Package.Client;
}

/** Chromium of the distribution, without a window; `CHROMIUM` names another one. */
export function launch(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Makes the proxy serve a page with the SDK, under a policy as strict as the server's. */
export async function servePage(proxy: Proxy): Promise<void> {
  const source = resolve(import.meta.dirname, '../../src');
  const page = `import * as suda from '${source}/index.ts'; globalThis.suda = suda;`;
  const policy =
    "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; " +
    "require-trusted-types-for 'script'; trusted-types suda-client";
  const html = `<!doctype html><meta http-equiv="Content-Security-Policy" content="${policy}">
    <title>Tab</title><script type="module" src="/page.js"></script>`;
  proxy.files.set('/', { type: 'text/html', body: html });
  const [script, worker] = await Promise.all([
    build({ stdin: { contents: page, resolveDir: source }, bundle: true, format: 'esm', write: false }),
    build({ entryPoints: [`${source}/share/worker.ts`], bundle: true, format: 'esm', write: false }),
  ]);
  proxy.files.set('/page.js', { type: 'text/javascript', body: script.outputFiles[0]?.text ?? '' });
  proxy.files.set('/worker.js', { type: 'text/javascript', body: worker.outputFiles[0]?.text ?? '' });
}

/** Opens a tab; its client is opened by `openClient`. */
export async function openTab(context: BrowserContext, proxy: Proxy): Promise<Page> {
  const page = await context.newPage();
  await page.goto(proxy.address);
  await page.waitForFunction(() => 'suda' in globalThis);
  return page;
}

/** Opens the client of a tab, and waits until the list can be read. */
export async function openClient(page: Page, options: Omit<Package.OpenOptions, 'device'>): Promise<void> {
  await page.evaluate(async (given) => {
    const tab = globalThis as unknown as TabGlobals;
    tab.client = await tab.suda.open(given as Package.OpenOptions);
  }, options);
}
