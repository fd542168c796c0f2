// What the widget loads until the conversation can be read, on a slow line, and how the engine takes over after that.
import type { LoggedIn } from '@suda/client';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { filesOfLoad, loads } from '../../scripts/loads.mjs';
import { Account } from './support/account';
import { launch } from './support/browser';
import { ForeignSite } from './support/foreign';
import { composer, seen } from './support/page';
import { Server } from './support/server';

const MESSAGES = 30;
/** A slow line of a phone. */
const SLOW = { offline: false, latency: 150, downloadThroughput: 50_000, uploadThroughput: 20_000 };

let shop: ForeignSite;
let server: Server;
let browser: Browser;
let mina: Account;
let direct: string;
let page: Page;

beforeAll(async () => {
  [shop, browser] = await Promise.all([ForeignSite.start(), launch()]);
  server = await Server.start(['--allowed-origins', shop.origin, '--app-keys-file', shop.keysFile]);
  mina = await Account.signUp(server.address, 'mina', 'Mina Kim');
  const call = async <T>(path: string, body: unknown, token = ''): Promise<T> => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    return (await (await fetch(`${server.address}${path}`, request)).json()) as T;
  };
  const guest = await call<LoggedIn>('/v1/login/app', { jwt: shop.token('42', 'guest') });
  const { account } = guest.account;
  direct = (await mina.rest<{ conversation: string }>('POST', '/v1/direct', { account })).conversation;
  let last = 0;
  for (let count = 1; count <= MESSAGES; count += 1) last = await mina.send(direct, `message ${count}`);
  const mark = { id: 1, type: 'mark', body: { conversation: direct, read: last } };
  await call('/v1/requests', mark, guest.token);
});

afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), shop.stop()]);
});

beforeEach(async () => {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 }, locale: 'ko' });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  await page.exposeFunction('vouch', () => shop.token('42', 'guest'));
  shop.show(`<main><h1>Shop</h1><suda-chat conversation="${direct}" server="${server.address}"></suda-chat></main>
    <script type="module" src="${server.url}/widget.js"></script>
    <script>document.querySelector('suda-chat').token = () => window.vouch();</script>`);
  // In every frame: how the messages stand, and since when there are any.
  await page.addInitScript(() => {
    const looks: { count: number; first: Element | undefined; top: number | undefined }[] = [];
    Object.assign(globalThis, { looks });
    const look = (): void => {
      const shown = document.querySelector('suda-chat')?.shadowRoot?.querySelectorAll('article') ?? [];
      if (shown.length > 0 && looks.length === 0) performance.mark('readable');
      const last = [...shown].at(-1);
      if (last) looks.push({ count: shown.length, first: last, top: last.getBoundingClientRect().top });
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
});

afterEach(async () => {
  await page.context().close();
});

it('loads what is said to be loaded until then, and nothing else', async () => {
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', SLOW);
  await page.goto(shop.origin);
  await composer(page).waitFor();
  const asked = await page.evaluate(() => {
    const readable = performance.getEntriesByName('readable')[0]?.startTime ?? Infinity;
    const all = performance.getEntriesByType('resource').map(({ name, startTime }) => ({
      path: new URL(name).pathname.slice(1),
      early: startTime <= readable,
    }));
    return all.filter(({ path }) => /\.(?:js|css)$/u.test(path));
  });
  const before = asked.filter(({ early }) => early).map(({ path }) => path);
  expect(before.sort()).toEqual((await filesOfLoad(loads[1])).sort());
  // The engine and the box to write in come, but later.
  expect(asked.length).toBeGreaterThan(before.length + 1);
});

it('goes on with the same login and the same messages in the same place when the engine comes', async () => {
  const logIns: string[] = [];
  const sockets: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().includes('/v1/login')) logIns.push(request.url());
  });
  page.on('websocket', (socket) => sockets.push(socket.url()));
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route(/assets\/widget\/engine-/u, async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(shop.origin);
  await seen(page, `message ${MESSAGES}`);
  await page.getByRole('heading', { name: 'Mina Kim' }).waitFor();
  await composer(page).waitFor();
  expect(sockets).toEqual([]);
  await page.evaluate(() => (globalThis as unknown as { looks: unknown[] }).looks.splice(0));
  release();
  await mina.send(direct, 'a new one');
  await seen(page, 'a new one');
  const moved = await page.evaluate(() => {
    const { looks } = globalThis as unknown as { looks: { count: number; first: Element; top: number }[] };
    const until = looks.findIndex(({ first }) => first.textContent.includes('a new one'));
    const before = looks.slice(0, until);
    return { frames: before.length, states: new Set(before.map(({ count, top }) => `${count} ${top}`)).size };
  });
  expect(moved.frames).toBeGreaterThan(1);
  expect(moved.states).toBe(1);
  expect(logIns).toHaveLength(1);
  await page.reload();
  await seen(page, 'a new one');
  await composer(page).waitFor();
  expect(logIns).toHaveLength(1);
});
