/** Tabs elect who owns the engine: one at a time, whoever closes, freezes, or is of another version. */

import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';

import type { ConnectionState } from '../src/model.js';
import { signUp } from '../src/node.js';
import { platform, type Platform } from '../src/platform.js';
import { Asking } from '../src/share/asking.js';
import { Election } from '../src/share/election.js';
import { hold, nameOfPage } from '../src/share/life.js';
import { Channel, Locks } from './support/locks.js';
import { PASSWORD } from './support/people.js';
import { Server } from './support/server.js';

let server: Server;
let token: string;
let tabs: Tab[] = [];

beforeAll(async () => {
  server = await Server.start();
  token = (await signUp({ name: 'mina', password: PASSWORD }, { server: server.address })).token ?? '';
}, 60_000);

beforeEach(() => {
  vi.stubGlobal('navigator', { locks: new Locks() });
  vi.stubGlobal('BroadcastChannel', Channel);
});

afterEach(() => {
  tabs.forEach((tab) => tab.close());
  tabs = [];
  vi.unstubAllGlobals();
});

afterAll(() => server.remove());

/** One tab of the browser. */
class Tab {
  /** How many engines asked for sockets here. */
  sockets = 0;
  connection: ConnectionState | undefined;
  readonly asking: Asking;
  readonly election: Election;
  readonly channel: Channel;
  private deaf: (() => void)[] = [];

  constructor(readonly name: string) {
    const opening = {
      server: server.address,
      key: { kind: 'token', token },
      device: { name, platform: 'web' },
      storage: 'memory',
    } as const;
    const told = ({ connection }: { connection?: ConnectionState }): void => {
      this.connection = connection ?? this.connection;
    };
    const noJwt = (): Promise<string> => Promise.reject(new Error('no token'));
    this.asking = new Asking(name, opening, noJwt, { told, taken: () => undefined });
    this.election = new Election(this.platform(), opening, name, this.asking);
    this.channel = Channel.newest;
    tabs.push(this);
  }

  /** The patience with the leader is over. */
  losePatience(): void {
    this.deaf.splice(0).forEach((act) => act());
  }

  /** Asks whoever leads for something, over the server. */
  async asks(): Promise<void> {
    await this.asking.calls.rest('GET', '/v1/account');
  }

  close(): void {
    this.asking.close();
    this.election.close();
  }

  private platform(): Platform {
    return {
      ...platform,
      socket: (address) => {
        this.sockets += 1;
        return platform.socket?.(address) as ReturnType<NonNullable<Platform['socket']>>;
      },
      later: (milliseconds, act) => {
        if (milliseconds !== 4_000) return platform.later(milliseconds, act);
        this.deaf.push(act);
        return () => void (this.deaf = this.deaf.filter((one) => one !== act));
      },
    };
  }
}

async function opened(name: string): Promise<Tab> {
  // As long as a page holds this, it lives.
  await hold(nameOfPage(name));
  const tab = new Tab(name);
  await tab.asking.opened;
  return tab;
}

function until(holds: () => void): Promise<void> {
  return vi.waitFor(holds, { timeout: 10_000 });
}

test('a leader that closed its client opens no engine again', async () => {
  const first = await opened('first');
  const second = await opened('second');
  first.close();
  await second.asks();
  await until(() => expect(second.connection?.state).toBe('online'));
  await (await opened('third')).asks();
  expect([first.sockets, second.sockets]).toEqual([1, 1]);
});

test('a leader that freezes loses the engine, and is not heard when it wakes up', async () => {
  const first = await opened('first');
  const second = await opened('second');
  await second.asks();
  second.losePatience();
  await second.asks();
  expect(second.sockets).toBe(0);
  first.channel.freeze();
  const asked = second.asks();
  second.losePatience();
  await asked;
  await until(() => expect(second.sockets).toBe(1));
  first.channel.thaw();
  await first.asks();
  await second.asks();
  expect([first.sockets, second.sockets]).toEqual([1, 1]);
});

test('a tab that lost the engine to another version waits for its turn', async () => {
  const first = await opened('first');
  const other = await hold(`suda ${server.address}`, true);
  await until(() => {
    first.losePatience();
    expect(first.connection).toEqual({ state: 'stopped', reason: 'replaced' });
  });
  let isLost = false;
  void other.lost.then(() => (isLost = true));
  const asked = first.asks();
  first.losePatience();
  expect(isLost).toBe(false);
  other.release();
  await asked;
  expect(isLost).toBe(false);
  await until(() => expect(first.connection?.state).toBe('online'));
});
