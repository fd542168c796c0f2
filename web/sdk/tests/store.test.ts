/** What every store must do, in one suite that each of them passes. */

import 'fake-indexeddb/auto';

import { describe, expect, test } from 'vitest';

import { unknown } from '../src/core/conversation.js';
import { cached } from '../src/core/standing.js';
import type { Store, Write } from '../src/store/contract.js';
import { IndexedDbStore } from '../src/store/indexeddb.js';
import { MemoryStore } from '../src/store/memory.js';
import type { Entry, Kind } from '../src/wire.js';

const HERE = '00000000-0000-7000-8000-000000000001';
const THERE = '00000000-0000-7000-8000-000000000002';

function entry(seq: number, kind: Kind = 'message', target?: number): Entry {
  return {
    seq,
    at: seq,
    kind,
    author: HERE,
    client_id: `id-${String(seq)}`,
    ordinal: seq,
    body: { type: 'text', text: String(seq) },
    ...(target !== undefined && { target }),
  };
}

function entries(conversation: string, ...list: Entry[]): Write {
  return { what: 'entries', conversation, entries: list.map(cached) };
}

function seqs(found: { entry: Entry }[]): number[] {
  return found.map((one) => one.entry.seq).sort((one, other) => one - other);
}

let databases = 0;

const stores: [string, () => Promise<Store>][] = [
  ['memory', () => Promise.resolve(new MemoryStore())],
  [
    'indexeddb',
    () => {
      databases += 1;
      return IndexedDbStore.open(`test ${String(databases)}`);
    },
  ],
];

describe.each(stores)('%s', (_, make) => {
  test('an empty store holds nothing', async () => {
    const kept = await (await make()).load();
    expect(kept).toEqual({
      progress: { ownEpoch: 0, ownSeq: 0 },
      conversations: [],
      ownItems: [],
      wantedValues: [],
      profiles: [],
      contacts: [],
      outbox: [],
    });
  });

  test('what was written is there again, the outbox in its order', async () => {
    const store = await make();
    const item = { conversation: HERE, base: 1, kind: 'message' as const, composed_at: 5 };
    const held = { state: unknown(1, 7), readWanted: 3 };
    await store.write([
      { what: 'progress', progress: { resume: 'r', ownEpoch: 1, ownSeq: 4 } },
      { what: 'conversation', conversation: HERE, held },
      { what: 'own_items', items: [{ key: 'pin/x', value: 1, seq: 4 }] },
      { what: 'wanted_value', value: { key: 'a', value: 1, clientId: 'one', base: 0 } },
      { what: 'wanted_value', value: { key: 'a', value: 2, clientId: 'two', base: 0 } },
      { what: 'outbox', placed: { place: 2, item: { ...item, client_id: 'a' } } },
      { what: 'outbox', placed: { place: 1, item: { ...item, client_id: 'z' } } },
      { what: 'outbox', placed: { place: 3, item: { ...item, client_id: 'm' } } },
      { what: 'outbox_remove', clientId: 'm' },
    ]);
    const kept = await store.load();
    expect(kept.progress).toEqual({ resume: 'r', ownEpoch: 1, ownSeq: 4 });
    expect(kept.conversations).toEqual([[HERE, held]]);
    expect(kept.ownItems).toEqual([{ key: 'pin/x', value: 1, seq: 4 }]);
    expect(kept.wantedValues).toEqual([{ key: 'a', value: 2, clientId: 'two', base: 0 }]);
    expect(kept.outbox.map(({ item: { client_id } }) => client_id)).toEqual(['z', 'a']);
  });

  test('a slice holds the entries and the acts asked for, of one conversation', async () => {
    const store = await make();
    const acts = [entry(3, 'edit', 1), entry(5, 'reaction', 1), entry(6, 'delete', 2)];
    await store.write([
      entries(HERE, entry(1), entry(2), entry(4), ...acts),
      entries(THERE, entry(1), entry(3, 'edit', 1)),
    ]);
    const slice = await store.slice(HERE, { seqs: new Set([2, 9]), actsOn: new Set([1]) });
    expect(seqs(slice)).toEqual([2, 3, 5]);
    const many = new Set(Array.from({ length: 30 }, (_unused, index) => index + 1));
    expect(seqs(await store.slice(HERE, { seqs: many, actsOn: many }))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await store.slice(HERE, { seqs: new Set(), actsOn: new Set() })).toEqual([]);
  });

  test('only what is shown is read, as many as asked for, from the right end', async () => {
    const store = await make();
    const list = Array.from({ length: 60 }, (_unused, index) =>
      index % 3 === 0 ? entry(index + 1, 'reaction', 1) : entry(index + 1),
    );
    await store.write([entries(HERE, ...list)]);
    expect(seqs(await store.shown(HERE, 1, 60, 4, true))).toEqual([56, 57, 59, 60]);
    expect(seqs(await store.shown(HERE, 10, 60, 4, false))).toEqual([11, 12, 14, 15]);
    expect(seqs(await store.shown(HERE, 1, 6, 10, true))).toEqual([2, 3, 5, 6]);
    expect(await store.shown(HERE, 7, 6, 10, true)).toEqual([]);
    expect(await store.shown(THERE, 1, 60, 10, true)).toEqual([]);
  });

  test('what is dropped is gone, here and not elsewhere', async () => {
    const store = await make();
    await store.write([
      entries(HERE, entry(1), entry(2, 'edit', 1), entry(3)),
      entries(THERE, entry(1)),
      { what: 'drop_below', conversation: HERE, seq: 3 },
    ]);
    expect(seqs(await store.shown(HERE, 1, 9, 9, true))).toEqual([3]);
    expect(await store.slice(HERE, { seqs: new Set([1]), actsOn: new Set([1]) })).toEqual([]);
    expect(seqs(await store.shown(THERE, 1, 9, 9, true))).toEqual([1]);
  });

  test('after a wipe there is nothing', async () => {
    const store = await make();
    await store.write([
      entries(HERE, entry(1)),
      { what: 'conversation', conversation: HERE, held: { state: unknown(1, 1) } },
      { what: 'contacts', contacts: [] },
      { what: 'wipe' },
    ]);
    expect((await store.load()).conversations).toEqual([]);
    expect(await store.shown(HERE, 1, 9, 9, true)).toEqual([]);
  });
});

test('a database keeps what it holds when it is opened again', async () => {
  const first = await IndexedDbStore.open('again');
  await first.write([entries(HERE, entry(1))]);
  await first.close();
  const second = await IndexedDbStore.open('again');
  expect(seqs(await second.shown(HERE, 1, 1, 1, true))).toEqual([1]);
});
