// What people go through and must not notice for long: servers that die, cables that are cut, tabs that are closed,
// networks that let no WebSocket through, devices that were logged out.
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import type { Account } from './support/account';
import { logInOn } from './support/browser';
import { Cable } from './support/cable';
import { bubble, composer, messages, open, say, seen } from './support/page';
import { at, direct, joon, keep, mina, server, setUpPair } from './support/pair';

const WAITING = '[data-stage=pending]';

setUpPair();

let cable: Cable;

beforeAll(async () => {
  cable = await Cable.lay(server.url);
  server.url = cable.url;
});

afterAll(() => cable.cut());

/** A page whose app is kept for starting without a network. */
async function installed(account: Account): Promise<Page> {
  const page = await at(account);
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  return page;
}

function texts(of: string, count: number): string[] {
  return Array.from({ length: count }, (_, at) => `${of} ${at + 1}`);
}

/** Everything of the conversation as the server has it. */
async function stored(): Promise<string[]> {
  const page = await joon.request<{ entries: { kind: string; body: { text: string } }[] }>('history', {
    conversation: direct,
    range: { newest: { limit: 200 } },
  });
  return page.entries.filter(({ kind }) => kind === 'message').map(({ body }) => body.text);
}

/** The words about a connection that is gone. */
function bar(page: Page): ReturnType<Page['locator']> {
  return page.locator('.list-side [role=status] p').first();
}

async function cutOff(page: Page): Promise<void> {
  await page.context().setOffline(true);
  await cable.cut();
}

async function reconnect(page: Page): Promise<void> {
  await cable.mend();
  await page.context().setOffline(false);
}

it('what is written without a network waits visibly, and goes out in order', async () => {
  const [minas, joons] = [await at(mina), await at(joon)];
  await say(minas, 'before');
  await seen(joons, 'before');
  await cutOff(minas);
  await bar(minas).waitFor();
  for (const text of texts('waiting', 8)) await say(minas, text);
  await expect.poll(() => minas.locator(WAITING).count()).toBe(8);
  expect(await stored()).toEqual(['before']);
  await reconnect(minas);
  await bar(minas).waitFor({ state: 'detached' });
  await seen(joons, 'waiting 8');
  expect(await messages(joons)).toEqual(['before', ...texts('waiting', 8)]);
  await expect.poll(() => minas.locator(WAITING).count()).toBe(0);
  expect(await messages(minas)).toEqual(await stored());
}, 120_000);

it('loaded anew without a network it opens, and what is written then survives the tab', async () => {
  await joon.send(direct, 'to be read later');
  const minas = await installed(mina);
  await seen(minas, 'to be read later');
  await cutOff(minas);
  await minas.reload();
  await minas.locator(`[data-conversation="${direct}"]`).waitFor();
  await seen(minas, 'to be read later');
  await say(minas, 'written on the train');
  await bubble(minas, 'written on the train').locator(WAITING).waitFor();
  const second = await minas.context().newPage();
  await minas.close();
  await second.goto(cable.url);
  await second.locator(`[data-conversation="${direct}"]`).click();
  await bubble(second, 'written on the train').locator(WAITING).waitFor();
  await second.close();
  expect(await stored()).toEqual(['to be read later']);

  const third = keep(await second.context().newPage());
  await reconnect(third);
  await third.goto(cable.url);
  await expect.poll(stored, { timeout: 30_000 }).toEqual(['to be read later', 'written on the train']);
  await open(third, direct);
  await expect.poll(() => third.locator(WAITING).count()).toBe(0);
}, 120_000);

it('two tabs share one connection, and the one that stays goes on', async () => {
  await expect.poll(() => cable.openWebSockets).toBe(0);
  const first = await at(mina);
  await expect.poll(() => cable.openWebSockets).toBe(1);
  const second = keep(await first.context().newPage());
  await second.goto(first.url());
  await composer(second).waitFor();
  await say(first, 'from the first');
  await seen(second, 'from the first');
  await say(second, 'from the second');
  await seen(first, 'from the second');
  expect(cable.openWebSockets).toBe(1);

  const sending = (async () => {
    for (const text of texts('meanwhile', 10)) await say(second, text);
  })();
  await first.close();
  await sending;
  await expect.poll(stored).toEqual(['from the first', 'from the second', ...texts('meanwhile', 10)]);
  await expect.poll(() => second.locator(WAITING).count()).toBe(0);
  await expect.poll(() => cable.openWebSockets).toBe(1);
}, 120_000);

it('where no WebSocket gets through, the chat goes on by polling', async () => {
  cable.refusesWebSockets = true;
  try {
    const [minas, joons] = [await at(mina), await at(joon)];
    expect(cable.openWebSockets).toBe(0);
    for (const count of [1, 2, 3]) {
      await say(minas, `question ${count}`);
      await seen(joons, `question ${count}`);
      await say(joons, `answer ${count}`);
      await seen(minas, `answer ${count}`);
    }
    await bubble(minas, 'question 3').locator('[data-stage=read]').waitFor();
    expect(cable.polls).toBeGreaterThan(2);
    expect(await bar(minas).count()).toBe(0);
  } finally {
    cable.refusesWebSockets = false;
  }
}, 120_000);

it('logged out from another device, it says so and asks to log in', async () => {
  const page = await at(mina);
  const { devices } = await mina.rest<{ devices: { device: string; platform: string }[] }>(
    'GET',
    '/v1/devices',
  );
  const removed = devices.find(({ platform }) => platform === 'web');
  await mina.rest('DELETE', `/v1/devices/${removed?.device ?? ''}`);
  await page.getByText('You were logged out on this device.').waitFor();
  await page.getByRole('button', { name: 'Log in again' }).click();
  await page.getByText('This device was logged out. Log in again; what waits to be sent is kept.').waitFor();
  await logInOn(page, mina);
  await page.locator(`[data-conversation="${direct}"]`).waitFor();
}, 60_000);

it('the server is killed twice while both type and send: all of it arrives once, in each one’s order', async () => {
  const [minas, joons] = [await at(mina), await at(joon)];
  const typed = async (page: Page, all: string[]): Promise<void> => {
    for (const text of all) {
      await composer(page).pressSequentially(text);
      await page.keyboard.press('Enter');
    }
  };
  const writing = Promise.all([typed(minas, texts('Mina', 30)), typed(joons, texts('Joon', 30))]);
  for (const often of [5, 12]) {
    await expect.poll(async () => (await stored()).length, { timeout: 45_000 }).toBeGreaterThan(often);
    await server.kill();
    await Promise.all([bar(minas).waitFor(), bar(joons).waitFor()]);
    await server.revive();
    // The pauses between two tries have grown meanwhile.
    const gone = { state: 'detached', timeout: 45_000 } as const;
    await Promise.all([bar(minas).waitFor(gone), bar(joons).waitFor(gone)]);
  }
  await writing;
  await expect.poll(async () => (await stored()).length, { timeout: 45_000 }).toBe(60);
  const all = await stored();
  for (const of of ['Mina', 'Joon']) expect(all.filter((text) => text.startsWith(of))).toEqual(texts(of, 30));
  for (const page of [minas, joons]) {
    await seen(page, all.at(-1) ?? '');
    await expect.poll(() => page.locator(WAITING).count()).toBe(0);
    const shown = await messages(page);
    expect(shown).toEqual(all.slice(-shown.length));
  }
}, 180_000);
