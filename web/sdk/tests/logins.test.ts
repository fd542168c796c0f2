/** One place, several logins: nobody is given another one's engine, and nothing goes out in another one's name. */

import 'fake-indexeddb/auto';

import { IDBFactory } from 'fake-indexeddb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

import type { Opening } from '../src/engine/opening.js';
import type { ConnectionState } from '../src/model.js';
import { signUp } from '../src/node.js';
import { platform, type Platform } from '../src/platform.js';
import { Asking } from '../src/share/asking.js';
import { Owner } from '../src/share/owner.js';
import { pair } from '../src/share/pair.js';
import { PASSWORD } from './support/people.js';
import { Server } from './support/server.js';

let server: Server;
let tokens: { mina: string; joon: string };
/** Whose cookie the browser has, as Node's `fetch` has none. */
let cookie: string;
let owners: Owner[] = [];

beforeAll(async () => {
  server = await Server.start();
  const token = async (name: string): Promise<string> =>
    (await signUp({ name, password: PASSWORD }, { server: server.address })).token ?? '';
  tokens = { mina: await token('mina'), joon: await token('joon') };
}, 60_000);

beforeEach(async () => {
  cookie = tokens.mina;
  globalThis.indexedDB = new IDBFactory();
  await Promise.all(owners.map((owner) => owner.retire()));
  owners = [];
});

afterAll(async () => {
  await Promise.all(owners.map((owner) => owner.retire()));
  await server.remove();
}, 60_000);

/** The browser without WebSockets. */
function browser(): Platform {
  const { socket: _socket, ...others } = platform;
  const fetch: Platform['fetch'] = (address, request) =>
    platform.fetch(address, {
      ...request,
      headers: { ...(request.headers as Record<string, string>), cookie: `suda=${cookie}` },
    });
  return { ...others, fetch };
}

function begin(): Owner {
  const owner = new Owner(browser(), () => undefined);
  owners.push(owner);
  return owner;
}

/** A page that opens: whose account it is told, and every state of its connection. */
async function page(
  owner: Owner,
  key: Opening['key'],
  storage: Opening['storage'] = 'memory',
): Promise<{ name: string; state: (wanted: ConnectionState['state']) => Promise<ConnectionState> }> {
  const states: ConnectionState[] = [];
  let wake = (): void => undefined;
  const told = ({ connection }: { connection?: ConnectionState }): void => {
    if (connection) states.push(connection);
    wake();
  };
  const opening = { server: server.address, key, device: { name: '', platform: 'web' as const }, storage };
  const asking = new Asking('page', opening, () => Promise.reject(new Error('no token')), {
    told,
    taken: () => undefined,
  });
  const [mine, owners] = pair();
  owner.serve(owners);
  asking.attach(mine);
  const { name } = await asking.opened;
  /** The first of these states, or the end. */
  const state = async (wanted: ConnectionState['state']): Promise<ConnectionState> => {
    for (;;) {
      const found = states.find((one) => one.state === wanted || one.state === 'stopped');
      if (found) return found;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return { name, state };
}

test('a page with another token gets an engine of its own, and ends the one before', async () => {
  const owner = begin();
  const mina = await page(owner, { kind: 'token', token: tokens.mina });
  expect(mina.name).toBe('mina');
  const joon = await page(owner, { kind: 'token', token: tokens.joon });
  expect(joon.name).toBe('joon');
  expect(await mina.state('stopped')).toEqual({ state: 'stopped', reason: 'another_account' });
  expect((await page(owner, { kind: 'token', token: tokens.joon })).name).toBe('joon');
  expect((await joon.state('online')).state).toBe('online');
});

test('a page whose cookie is of another account gets an engine of its own', async () => {
  const owner = begin();
  const mina = await page(owner, { kind: 'cookie' }, 'indexeddb');
  expect(mina.name).toBe('mina');
  expect((await page(owner, { kind: 'cookie' }, 'indexeddb')).name).toBe('mina');
  cookie = tokens.joon;
  const both = await Promise.all([
    page(owner, { kind: 'cookie' }, 'indexeddb'),
    page(owner, { kind: 'cookie' }, 'indexeddb'),
  ]);
  expect(both.map(({ name }) => name)).toEqual(['joon', 'joon']);
  expect((await mina.state('stopped')).state).toBe('stopped');
  expect((await both[0].state('online')).state).toBe('online');
});

test('nothing is polled or sent with a cookie that is of another account by now', async () => {
  const before = await page(begin(), { kind: 'cookie' }, 'indexeddb');
  expect(await before.state('online')).toEqual({ state: 'online', polling: true });
  await owners[0]?.retire();
  cookie = tokens.joon;
  const after = await page(begin(), { kind: 'cookie' }, 'indexeddb');
  expect(after.name).toBe('mina');
  expect(await after.state('online')).toEqual({ state: 'stopped', reason: 'another_account' });
  await owners[1]?.retire();
  expect((await page(begin(), { kind: 'cookie' }, 'indexeddb')).name).toBe('joon');
});
