// Pictures of the client for the README and for judging it: `npm run screenshots` writes them into `screenshots/`.
import { afterAll, beforeAll, it } from 'vitest';
import type { Browser, BrowserContextOptions } from 'playwright-core';

import { launch, logIn } from './support/browser';
import { makeScene, type Scene } from './support/scene';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let scene: Scene;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  scene = await makeScene(server.address);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

const wide = { width: 1280, height: 800 };
const phone = { width: 360, height: 740 };

it.each<[string, BrowserContextOptions]>([
  ['light', { viewport: wide }],
  ['dark', { viewport: wide, colorScheme: 'dark' }],
  ['korean', { viewport: wide, locale: 'ko' }],
  ['phone', { viewport: phone, deviceScaleFactor: 2 }],
  ['phone-dark-korean', { viewport: phone, deviceScaleFactor: 2, colorScheme: 'dark', locale: 'ko' }],
])('%s', async (name, options) => {
  // The client speaks the account's language, whatever the browser's is.
  await scene.mina.rest('PATCH', '/v1/account', { language: options.locale ?? 'en' });
  const page = await logIn(browser, server, scene.mina, options);
  await page.locator('[data-conversation]').first().waitFor();
  await page.screenshot({ path: `screenshots/${name}-list.png` });
  for (const [kind, conversation] of [
    ['group', scene.group],
    ['direct', scene.direct],
  ]) {
    await page.locator(`[data-conversation="${conversation}"]`).click();
    await page.locator('article').last().waitFor();
    await page.evaluate(
      () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))),
    );
    await page.screenshot({ path: `screenshots/${name}-${kind}.png` });
    if (options.viewport?.width === phone.width) await page.goBack();
  }
  await page.context().close();
});
