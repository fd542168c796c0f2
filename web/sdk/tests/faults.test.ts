/** What breaks on the way: nothing is lost, nothing comes twice, the order stays. */

import 'fake-indexeddb/auto';

import { afterEach, beforeEach, expect, test } from 'vitest';

import type { Client, ConversationId, OpenOptions, Timeline } from '../src/node.js';
import { open } from '../src/node.js';
import { another, credentialOf, join, texts } from './support/people.js';
import { Proxy } from './support/proxy.js';
import { Server } from './support/server.js';
import { until } from './support/waiting.js';

let server: Server;
let proxy: Proxy;
let clients: Client[];

beforeEach(async () => {
  server = await Server.start();
  proxy = await Proxy.start(server.port);
  clients = [];
}, 60_000);

afterEach(async () => {
  clients.forEach((client) => client.close());
  await proxy.stop();
  await server.remove();
}, 60_000);

/** Two people: one behind the proxy, one beside it; and what they have in common. */
async function two(options: Partial<OpenOptions> = {}): Promise<{
  mina: Client;
  joon: Client;
  conversation: ConversationId;
}> {
  const mina = await join(server, 'mina', { server: proxy.address, ...options });
  const joon = await join(server, 'joon');
  clients.push(mina, joon);
  return { mina, joon, conversation: await mina.openDirect(joon.me.value.account) };
}

/** All that a timeline's conversation says, from its beginning. */
async function everything(timeline: Timeline): Promise<string[]> {
  await timeline.jumpToNewest();
  const all = new Map<number, string>();
  do {
    for (const message of timeline.value.messages) all.set(message.seq ?? 0, texts([message]).join());
  } while (await timeline.loadEarlier());
  for (const message of timeline.value.messages) all.set(message.seq ?? 0, texts([message]).join());
  const inOrder = [...all].sort(([one], [other]) => one - other).map(([, text]) => text);
  return inOrder.filter((text) => text !== '');
}

function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `message ${String(index)}`);
}

test('the server is killed while messages are sent', async () => {
  const { mina, joon, conversation } = await two();
  const there = joon.conversation(conversation).timeline();
  const expected = numbered(300);
  for (const [index, text] of expected.entries()) {
    await mina.conversation(conversation).send(text);
    if (index % 100 === 50) {
      await server.end('SIGKILL');
      await server.begin();
    }
  }
  await until(mina.conversation(conversation).summary, (row) => row?.unsent === 0, 25_000);
  await until(there, ({ messages }) => texts(messages).at(-1) === expected.at(-1), 25_000);
  expect(await everything(there)).toEqual(expected);
}, 60_000);

test('connections break again and again during 1,000 sends', async () => {
  const { mina, joon, conversation } = await two();
  const there = joon.conversation(conversation).timeline();
  const expected = numbered(1_000);
  const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
  const chance = random(seed);
  let broken = 0;
  for (const text of expected) {
    await mina.conversation(conversation).send(text);
    if (chance() < 0.02) {
      proxy.breakAll();
      broken += 1;
      await until(mina.connection, ({ state }) => state === 'online');
    }
  }
  await until(mina.conversation(conversation).summary, (row) => row?.unsent === 0, 25_000);
  await until(there, ({ messages }) => texts(messages).at(-1) === expected.at(-1), 25_000);
  expect(broken, `seed ${String(seed)}`).toBeGreaterThan(0);
  expect(await everything(there), `seed ${String(seed)}`).toEqual(expected);
  expect(await everything(mina.conversation(conversation).timeline()), `seed ${String(seed)}`).toEqual(
    expected,
  );
}, 90_000);

test('where WebSockets do not get through, polling takes over, and goes again', async () => {
  const { mina, joon, conversation } = await two();
  const [here, there] = [
    mina.conversation(conversation).timeline(),
    joon.conversation(conversation).timeline(),
  ];
  proxy.refusesSockets = true;
  proxy.breakAll();
  await until(mina.connection, (state) => state.state === 'online' && state.polling);
  await joon.conversation(conversation).send('Do you still hear me?');
  await until(here, ({ messages }) => texts(messages).includes('Do you still hear me?'));
  await mina.conversation(conversation).send('Yes');
  await until(there, ({ messages }) => texts(messages).includes('Yes'));
  proxy.refusesSockets = false;
  proxy.breakAll();
  await until(mina.connection, (state) => state.state === 'online' && !state.polling);
  await joon.conversation(conversation).send('And now?');
  await until(here, ({ messages }) => texts(messages).at(-1) === 'And now?');
}, 60_000);

test('a device that is logged out elsewhere says so, and keeps what waits', async () => {
  const { mina, conversation } = await two();
  const other = await another(server, 'mina');
  clients.push(other);
  const first = (await other.devices()).find((device) => !device.this);
  await other.removeDevice(first?.device ?? '');
  await until(mina.connection, ({ state }) => state === 'logged_out');
  await mina.conversation(conversation).send('Wait for me');
  expect(mina.conversation(conversation).summary.value?.unsent).toBe(1);
});

test('two devices of an account stay in step', async () => {
  const { mina, joon, conversation } = await two();
  const other = await another(server, 'mina');
  clients.push(other);
  const [here, there] = [
    mina.conversation(conversation).timeline(),
    other.conversation(conversation).timeline(),
  ];
  for (let index = 0; index < 30; index += 1) {
    await mina.conversation(conversation).send(`one ${String(index)}`);
    await other.conversation(conversation).send(`two ${String(index)}`);
    await joon.conversation(conversation).send(`three ${String(index)}`);
  }
  const isAll = ({ messages }: { messages: readonly { state: { state: string } }[] }): boolean =>
    messages.length === 91 && messages.every(({ state }) => state.state === 'sent');
  const views = await Promise.all([until(here, isAll), until(there, isAll)]);
  expect(views[0].messages.map((message) => [message.seq, message.content])).toEqual(
    views[1].messages.map((message) => [message.seq, message.content]),
  );
}, 60_000);

test('what waits survives the client, and the list opens without a network', async () => {
  const { mina, joon, conversation } = await two({ storage: 'indexeddb' });
  const timeline = mina.conversation(conversation).timeline();
  await joon.conversation(conversation).send('Before the tunnel');
  await until(timeline, ({ messages }) => texts(messages).includes('Before the tunnel'));
  proxy.isDown = true;
  proxy.breakAll();
  await until(mina.connection, ({ state }) => state !== 'online');
  const expected = numbered(20);
  for (const text of expected) await mina.conversation(conversation).send(text);
  mina.close();
  const again = await open({
    server: proxy.address,
    credential: credentialOf(mina),
    storage: 'indexeddb',
    share: 'none',
  });
  clients.push(again);
  expect(again.conversations.value.map((row) => row.title)).toEqual(['JOON']);
  const offline = again.conversation(conversation).timeline();
  const cached = await until(offline, ({ messages }) => messages.length >= 21);
  expect(texts(cached.messages)).toEqual(['Before the tunnel', ...expected]);
  expect(cached.messages.at(-1)?.state.state).toBe('pending');
  proxy.isDown = false;
  const there = joon.conversation(conversation).timeline();
  await until(there, ({ messages }) => texts(messages).at(-1) === expected.at(-1), 40_000);
  expect(await everything(there)).toEqual(['Before the tunnel', ...expected]);
}, 60_000);

test('a timeline that was opened without a connection fills when there is one', async () => {
  const { mina, joon } = await two();
  const group = await joon.createGroup({ title: 'Elsewhere' }, []);
  proxy.isDown = true;
  proxy.breakAll();
  await until(mina.connection, ({ state }) => state !== 'online');
  const timeline = mina.conversation(group).timeline();
  await joon.conversation(group).send('before mina');
  await joon.conversation(group).addMembers([mina.me.value.account]);
  await joon.conversation(group).send('hello mina');
  proxy.isDown = false;
  await until(timeline, ({ messages }) => texts(messages).includes('hello mina'), 40_000);
  await joon.conversation(group).send('and again');
  const view = await until(timeline, ({ messages }) => texts(messages).includes('and again'));
  expect(texts(view.messages)).toEqual(['hello mina', 'and again']);
}, 60_000);

/** A small generator of numbers from 0 to 1 (mulberry32): the same for the same seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
