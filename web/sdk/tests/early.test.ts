/** What is told before an engine is there goes over into what the engine tells, without a gap. */

import { describe, expect, test } from 'vitest';

import type { Client, Conversation, Timeline } from '../src/api.js';
import { Cell } from '../src/client/live.js';
import { EarlyClient } from '../src/early/client.js';
import { Relay } from '../src/early/relay.js';
import { EarlyTimeline } from '../src/early/timeline.js';
import type { Message, TimelineView } from '../src/model.js';
import type { OwnAccount } from '../src/wire.js';
import { ME, Stage } from './support/stage.js';

const account = { account: ME, name: 'mina', display_name: 'Mina', colour: 1 } as OwnAccount;

/** Everything that is ever told. */
function heard<T>(live: { subscribe(listener: (value: T) => void): () => void }): T[] {
  const told: T[] = [];
  live.subscribe((value) => told.push(value));
  return told;
}

function view(count: number, loading = false): TimelineView {
  const messages = Array.from({ length: count }, (_, index) => ({ seq: index + 1 }) as Message);
  return { messages, hasEarlier: false, hasLater: false, loading };
}

/** Waits until everything that waits for nothing else is done. */
function calm(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

describe('a relay', () => {
  test('tells of the second source once that has something, and of the first no more', async () => {
    const [first, second] = [new Cell<number | undefined>(1), new Cell<number | undefined>(undefined)];
    const relay = new Relay<number | undefined>(first);
    const told = heard(relay);
    const changed = relay.followOnce(second, (value) => value !== undefined);
    first.set(2);
    second.set(3);
    first.set(4);
    await changed;
    second.set(undefined);
    expect(told).toEqual([1, 2, 3, undefined]);
    expect(relay.value).toBe(undefined);
  });

  test('wants a source only as long as somebody listens', async () => {
    let wanted = 0;
    const second = new Cell(1, (isWanted) => (wanted += isWanted ? 1 : -1));
    const relay = new Relay<number>(new Cell(0));
    const stop = relay.subscribe(() => undefined);
    await relay.followOnce(second, () => true);
    await calm();
    expect(wanted).toBe(1);
    stop();
    expect(wanted).toBe(0);
  });
});

describe('a timeline', () => {
  /** A whole timeline that the test plays. */
  function played(cell: Cell<TimelineView>, calls: string[]): Timeline {
    const call = (name: string): Promise<boolean> => Promise.resolve(calls.push(name) > 0);
    return {
      get value() {
        return cell.value;
      },
      subscribe: (listener: (value: TimelineView) => void) => cell.subscribe(listener),
      loadEarlier: () => call('earlier'),
      jumpTo: () => call('jump'),
      keep: () => void call('keep'),
      close: () => void call('close'),
    } as unknown as Timeline;
  }

  test('shows what was read until the engine has all of it', async () => {
    const [first, cell, calls] = [new Cell(view(3)), new Cell(view(0, true)), [] as string[]];
    const timeline = new EarlyTimeline(first, Promise.resolve(played(cell, calls)), new Stage());
    const counts = heard(timeline);
    const earlier = timeline.loadEarlier();
    await calm();
    cell.set(view(2));
    await calm();
    expect(calls).toEqual([]);
    cell.set(view(4));
    expect(await earlier).toBe(true);
    expect(counts.map(({ messages }) => messages.length)).toEqual([3, 4]);
  });

  test('shows what the engine has after a while, whatever was read', async () => {
    const [first, cell, stage] = [new Cell(view(3)), new Cell(view(1)), new Stage()];
    const timeline = new EarlyTimeline(first, Promise.resolve(played(cell, [])), stage);
    await calm();
    expect(timeline.value.messages).toHaveLength(3);
    stage.pass(5_000);
    await calm();
    expect(timeline.value.messages).toHaveLength(1);
  });

  test('goes where it is sent without waiting for that', async () => {
    const [first, cell, calls] = [new Cell(view(3)), new Cell(view(1)), [] as string[]];
    const timeline = new EarlyTimeline(first, Promise.resolve(played(cell, calls)), new Stage());
    await timeline.jumpTo(1);
    expect(calls).toEqual(['jump']);
    expect(timeline.value.messages).toHaveLength(1);
  });
});

test('a client answers with what it has, and asks the whole one for everything else', async () => {
  let come: (client: Client) => void = () => undefined;
  const coming = new Promise<Client>((resolve) => (come = resolve));
  const client = new EarlyClient(account, coming, new Stage()).asWhole();
  expect(client.me.value).toEqual(account);
  expect(client.profile(ME).value).toBe(undefined);
  // A promise must not take it for another one.
  expect(await Promise.resolve(client)).toBe(client);
  const sent: string[] = [];
  const sending = client.conversation('some').send('hello');
  const whole = {
    me: new Cell({ ...account, display_name: 'Mina Kim' }),
    connection: new Cell({ state: 'online', polling: false }),
    conversations: new Cell([]),
    unread: new Cell({ unread: 0, mentions: 0 }),
    contacts: new Cell([]),
    limits: new Cell(client.limits.value),
    profile: () => new Cell(account),
    conversation: (id: string) =>
      ({
        id,
        summary: new Cell(undefined),
        details: new Cell(undefined),
        presence: new Cell({ typing: [] }),
        send: (text: string) => Promise.resolve(String(sent.push(text))),
      }) as unknown as Conversation,
  } as unknown as Client;
  come(whole);
  expect(await sending).toBe('1');
  expect(sent).toEqual(['hello']);
  expect(client.me.value.display_name).toBe('Mina Kim');
  expect(client.connection.value).toEqual({ state: 'online', polling: false });
  expect(client.profile(ME).value).toEqual(account);
});
