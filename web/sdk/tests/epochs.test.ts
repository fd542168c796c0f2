/** What lies far back, and what is another history: sends find their place, caches begin anew; and tokens that end. */

import 'fake-indexeddb/auto';

import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';

import { expect, test } from 'vitest';

import { open, type Client, type OpenOptions } from '../src/node.js';
import { join, texts } from './support/people.js';
import { Proxy } from './support/proxy.js';
import { Server } from './support/server.js';
import { until } from './support/waiting.js';

/** Runs a test with a server and a proxy before it, and cleans up whatever happens. */
async function beside(
  flags: string[],
  run: (server: Server, proxy: Proxy) => Promise<Client[]>,
): Promise<void> {
  const server = await Server.start(flags);
  const proxy = await Proxy.start(server.port);
  try {
    (await run(server, proxy)).forEach((client) => client.close());
  } finally {
    await proxy.stop();
    await server.remove();
  }
}

test('a message that waited while much was said is sent with a newer base', () =>
  beside(['--limits-base-entries', '64'], async (server, proxy) => {
    const mina = await join(server, 'mina', { server: proxy.address });
    const joon = await join(server, 'joon');
    const direct = await mina.openDirect(joon.me.value.account);
    const there = joon.conversation(direct).timeline({ pageSize: 200 });
    await until(there, ({ messages }) => messages.length > 0);
    proxy.isDown = true;
    proxy.breakAll();
    await until(mina.connection, ({ state }) => state !== 'online');
    await mina.conversation(direct).send('first of mina');
    await mina.conversation(direct).send('second of mina');
    for (let index = 0; index < 150; index += 1)
      await joon.conversation(direct).send(`joon ${String(index)}`);
    await until(joon.conversation(direct).summary, (row) => row?.unsent === 0);
    proxy.isDown = false;
    const view = await until(there, ({ messages }) => texts(messages).includes('second of mina'), 40_000);
    expect(texts(view.messages).filter((text) => text.endsWith('mina'))).toEqual([
      'first of mina',
      'second of mina',
    ]);
    return [mina, joon];
  }));

test('whoever reads far up stays there when so much was missed that all is read again', () =>
  beside([], async (server, proxy) => {
    const mina = await join(server, 'mina', { server: proxy.address });
    const joon = await join(server, 'joon');
    const direct = await mina.openDirect(joon.me.value.account);
    const say = async (from: number, to: number): Promise<void> => {
      for (let index = from; index <= to; index += 1)
        await joon.conversation(direct).send(`number ${String(index)}`);
      await until(joon.conversation(direct).summary, (row) => row?.unsent === 0);
    };
    await say(1, 100);
    const here = mina.conversation(direct).timeline({ pageSize: 20 });
    await until(here, ({ messages }) => texts(messages).includes('number 100'));
    while (!texts(here.value.messages).includes('number 30')) await here.loadEarlier();
    here.keep(here.value.messages.find((message) => texts([message]).includes('number 30'))?.seq);
    proxy.isDown = true;
    proxy.breakAll();
    await until(mina.connection, ({ state }) => state !== 'online');
    await say(101, 850);
    proxy.isDown = false;
    const view = await until(here, ({ hasLater, loading }) => hasLater && !loading, 40_000);
    expect(texts(view.messages)).toContain('number 30');
    here.keep();
    await here.jumpToNewest();
    expect(texts(here.value.messages).at(-1)).toBe('number 850');
    return [mina, joon];
  }));

test('a restored backup begins another history, and what waits is sent into it', () =>
  beside([], async (server, proxy) => {
    const mina = await join(server, 'mina', { server: proxy.address });
    const joon = await join(server, 'joon', { server: proxy.address });
    const direct = await mina.openDirect(joon.me.value.account);
    const there = joon.conversation(direct).timeline();
    await mina.conversation(direct).send('in the backup');
    await until(there, ({ messages }) => texts(messages).includes('in the backup'));
    server.backup('backup');
    await mina.conversation(direct).send('after the backup');
    await until(there, ({ messages }) => texts(messages).includes('after the backup'));
    // What is not acknowledged yet would rightly be sent again, into the other history.
    await until(mina.conversation(direct).summary, (row) => row?.unsent === 0);
    proxy.isDown = true;
    proxy.breakAll();
    await until(mina.connection, ({ state }) => state !== 'online');
    await mina.conversation(direct).send('while it was away');
    await server.end('SIGTERM');
    server.restore('backup');
    await server.begin();
    proxy.isDown = false;
    const view = await until(there, ({ messages }) => texts(messages).at(-1) === 'while it was away', 40_000);
    expect(texts(view.messages)).toEqual(['in the backup', 'while it was away']);
    const here = mina.conversation(direct).timeline();
    await until(here, ({ messages }) => messages.at(-1)?.state.state === 'sent');
    expect(texts(here.value.messages)).toEqual(['in the backup', 'while it was away']);
    return [mina, joon];
  }));

test("an app's own users log in with its tokens, and again when the device was logged out", async () => {
  const folder = mkdtempSync(path(tmpdir(), 'suda-keys-'));
  const key = Buffer.from('a key of thirty-two bytes, exact');
  const keys = { keys: [{ kty: 'oct', kid: '1', alg: 'HS256', k: key.toString('base64url') }] };
  writeFileSync(path(folder, 'keys.json'), JSON.stringify(keys));
  try {
    await beside(['--app-keys-file', path(folder, 'keys.json')], async (server) => {
      let asked = 0;
      let user = 'user 42';
      const jwt = (): Promise<string> => {
        asked += 1;
        return Promise.resolve(
          signed(key, { sub: user, aud: 'suda', exp: Math.floor(Date.now() / 1000) + 60 }),
        );
      };
      const options: OpenOptions = {
        server: server.address,
        credential: { kind: 'app', jwt },
        device: { name: 'Test', platform: 'node' },
        storage: 'indexeddb',
        share: 'none',
      };
      const client = await open(options);
      await until(client.connection, ({ state }) => state === 'online');
      expect(asked).toBe(1);
      await logOut(client);
      await until(client.connection, ({ state }) => state === 'online');
      expect(asked).toBe(2);
      await client.changeAccount({ display_name: 'Mina' });
      client.close();
      // The renewed token is the one that is kept.
      const again = await open(options);
      await until(again.connection, ({ state }) => state === 'online');
      expect(asked).toBe(2);
      expect(again.me.value.display_name).toBe('Mina');
      user = 'user 43';
      await logOut(again);
      const end = await until(again.connection, ({ state }) => state === 'online' || state === 'stopped');
      expect(end).toEqual({ state: 'stopped', reason: 'another_account' });
      return [again];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

/** Logs the only device out, as another one would. */
async function logOut(client: Client): Promise<void> {
  const [own] = await client.devices();
  expect(own?.name).toBe('Test');
  // It may be back before the removal is answered.
  const gone = until(client.connection, ({ state }) => state !== 'online');
  await client.removeDevice(own?.device ?? '');
  await gone;
}

function signed(key: Buffer, claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const body = `${part({ alg: 'HS256', kid: '1', typ: 'JWT' })}.${part(claims)}`;
  return `${body}.${createHmac('sha256', key).update(body).digest('base64url')}`;
}
