/** Tabs of a real browser share one engine, lose nothing when they close, and can be read without a network. */

import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

import type { Client, OpenOptions } from '../src/node.js';
import { signUp } from '../src/node.js';
import { join, PASSWORD, texts } from './support/people.js';
import { Proxy } from './support/proxy.js';
import { Server } from './support/server.js';
import { launch, openClient, openTab, servePage, type TabGlobals } from './support/tabs.js';
import { until } from './support/waiting.js';

let browser: Browser;
let server: Server;
let proxy: Proxy;
let context: BrowserContext;
let names = 0;

beforeAll(async () => {
  [browser, server] = await Promise.all([launch(), Server.start()]);
  proxy = await Proxy.start(server.port);
  await servePage(proxy);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await proxy.stop();
  await server.remove();
}, 60_000);

beforeEach(async () => {
  proxy.isDown = false;
  proxy.sockets = 0;
  context = await browser.newContext();
});

afterEach(async () => {
  await context.close();
});

/** Somebody beside the browser, whom tabs write to, and the options of those tabs. */
async function people(): Promise<{ joon: Client; conversation: string; token: string }> {
  names += 1;
  const joon = await join(server, `joon${String(names)}`);
  const mina = await signUp(
    { name: `mina${String(names)}`, password: PASSWORD, displayName: 'Mina' },
    { server: server.address },
  );
  const conversation = await joon.openDirect(mina.account.account);
  return { joon, conversation, token: mina.token ?? '' };
}

function send(page: Page, conversation: string, list: string[]): Promise<void> {
  return page.evaluate(
    async ([id, all]) => {
      const { client } = globalThis as unknown as TabGlobals;
      for (const text of all) await client.conversation(id).send(text);
    },
    [conversation, list] as const,
  );
}

/** Waits until a tab's timeline ends with this text; gives back all that it says. */
function shows(page: Page, conversation: string, last: string): Promise<string[]> {
  return page.evaluate(
    ([id, wanted]) =>
      new Promise<string[]>((resolve) => {
        const { client } = globalThis as unknown as TabGlobals;
        const timeline = client.conversation(id).timeline({ pageSize: 200 });
        timeline.subscribe(({ messages }) => {
          const said = messages.flatMap(({ content }) => (content.type === 'text' ? [content.text] : []));
          if (said.at(-1) === wanted) resolve(said);
        });
      }),
    [conversation, last] as const,
  );
}

function isOnline(page: Page): Promise<void> {
  return page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const { client } = globalThis as unknown as TabGlobals;
        client.connection.subscribe(({ state }) => (state === 'online' ? resolve() : undefined));
      }),
  );
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `message ${String(index)}`);
}

const ways: [string, Pick<OpenOptions, 'share' | 'workerUrl'>][] = [
  ['worker', { share: 'worker', workerUrl: '/worker.js' }],
  ['lock', { share: 'lock' }],
];

describe.each(ways)('tabs that share by %s', (_, sharing) => {
  test('have one connection, and see the same', async () => {
    const { joon, conversation, token } = await people();
    const options = { ...sharing, credential: { kind: 'token', token } as const };
    const [one, other] = [await openTab(context, proxy), await openTab(context, proxy)];
    await openClient(one, options);
    await openClient(other, options);
    await Promise.all([isOnline(one), isOnline(other)]);
    await joon.conversation(conversation).send('Hello, tabs');
    expect(await shows(one, conversation, 'Hello, tabs')).toEqual(['Hello, tabs']);
    expect(await shows(other, conversation, 'Hello, tabs')).toEqual(['Hello, tabs']);
    await send(other, conversation, ['Hello, Joon']);
    expect(await shows(one, conversation, 'Hello, Joon')).toEqual(['Hello, tabs', 'Hello, Joon']);
    expect(proxy.sockets).toBe(1);
    joon.close();
  });

  test('go on when the first of them closes in the middle of sending', async () => {
    const { joon, conversation, token } = await people();
    const there = joon.conversation(conversation).timeline({ pageSize: 200 });
    const options = { ...sharing, credential: { kind: 'token', token } as const };
    const [first, second] = [await openTab(context, proxy), await openTab(context, proxy)];
    await openClient(first, options);
    await openClient(second, options);
    const expected = numbered(120);
    const sending = send(second, conversation, expected);
    await until(there, ({ messages }) => texts(messages).length >= 30);
    await first.close();
    await sending;
    await until(there, ({ messages }) => texts(messages).at(-1) === expected.at(-1));
    expect(texts(there.value.messages)).toEqual(expected);
    joon.close();
  });

  test('keep what waits when all of them close, and open without the server', async () => {
    const { joon, conversation, token } = await people();
    const options = { ...sharing, credential: { kind: 'token', token } as const };
    const before = await openTab(context, proxy);
    await openClient(before, options);
    await joon.conversation(conversation).send('Before');
    await shows(before, conversation, 'Before');
    proxy.isDown = true;
    proxy.breakAll();
    await send(before, conversation, numbered(10));
    await before.close();
    const after = await openTab(context, proxy);
    await openClient(after, options);
    expect(await shows(after, conversation, 'message 9')).toEqual(['Before', ...numbered(10)]);
    proxy.isDown = false;
    const there = joon.conversation(conversation).timeline();
    await until(there, ({ messages }) => texts(messages).at(-1) === 'message 9', 25_000);
    expect(texts(there.value.messages)).toEqual(['Before', ...numbered(10)]);
    joon.close();
  });
});

test('a cookie logs a page in, survives a reload, and makes room for another account', async () => {
  names += 1;
  const page = await openTab(context, proxy);
  const logIn = (name: string): Promise<string | undefined> =>
    page.evaluate(
      async ([account, password]) => {
        const { suda } = globalThis as unknown as TabGlobals;
        return (await suda.signUp({ name: account, password }, { cookie: true })).token;
      },
      [name, PASSWORD] as const,
    );
  const name = (): Promise<string> =>
    page.evaluate(() => (globalThis as unknown as TabGlobals).client.me.value.name);
  const options = { credential: { kind: 'cookie' } as const, workerUrl: '/worker.js' };
  expect(await logIn(`ann${String(names)}`)).toBeUndefined();
  await openClient(page, options);
  await isOnline(page);
  await page.reload();
  await page.waitForFunction(() => 'suda' in globalThis);
  await openClient(page, options);
  await isOnline(page);
  expect(await name()).toBe(`ann${String(names)}`);
  await page.evaluate(() => (globalThis as unknown as TabGlobals).client.logOut());
  await logIn(`ben${String(names)}`);
  await openClient(page, options);
  await isOnline(page);
  expect(await name()).toBe(`ben${String(names)}`);
});
