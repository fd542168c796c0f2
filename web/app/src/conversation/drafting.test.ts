// When a draft is stored, and when one of another device is taken over.
import { beforeEach, expect, it, vi } from 'vitest';

import { Drafting } from './drafting';

let stored: (string | null)[];
let shown: string[];
let now: number;
let drafting: Drafting;

beforeEach(() => {
  vi.useFakeTimers();
  stored = [];
  shown = [];
  now = 100_000;
  const store = (text: string | null): Promise<void> => {
    stored.push(text);
    return Promise.resolve();
  };
  drafting = new Drafting(
    store,
    (text) => shown.push(text),
    () => now,
  );
});

/** What was stored is known to be stored. */
async function settled(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

it('is stored after a pause, once', () => {
  drafting.typed('a');
  vi.advanceTimersByTime(500);
  drafting.typed('ab');
  vi.advanceTimersByTime(500);
  expect(stored).toEqual([]);
  vi.advanceTimersByTime(500);
  expect(stored).toEqual(['ab']);
  drafting.flush();
  expect(stored).toEqual(['ab']);
});

it('is removed when it is sent or emptied', () => {
  drafting.typed('a');
  drafting.flush();
  drafting.sent();
  drafting.typed('b');
  drafting.flush();
  drafting.typed('  ');
  drafting.flush();
  expect(stored).toEqual(['a', null, 'b', null]);
});

it('of another device is shown, but not into the typing', () => {
  drafting.takeOver('from the phone', false);
  expect(shown).toEqual(['from the phone']);
  now += 60_000;
  drafting.typed('mine');
  drafting.takeOver('from the phone again', false);
  expect(shown).toEqual(['from the phone']);
  now += 60_000;
  drafting.takeOver('later', true);
  expect(shown).toEqual(['from the phone']);
  drafting.takeOver(undefined, false);
  expect(shown).toEqual(['from the phone', '']);
});

it('of another device that came into the typing is shown once that ends', async () => {
  drafting.typed('mine');
  drafting.flush();
  await settled();
  drafting.takeOver('from the phone', false);
  drafting.rest();
  expect(shown).toEqual(['from the phone']);
  expect(stored).toEqual(['mine']);
  drafting.typed('mine again');
  drafting.takeOver('from the phone again', false);
  drafting.typed('mine after all');
  drafting.rest();
  expect(shown).toEqual(['from the phone']);
  expect(stored).toEqual(['mine', 'mine after all']);
});

it('of this device comes back without being shown again', () => {
  drafting.typed('mine');
  drafting.flush();
  now += 60_000;
  drafting.takeOver('mine', false);
  expect(shown).toEqual([]);
});

it('does not come back when it was sent right after a pause', async () => {
  drafting.typed('a');
  vi.advanceTimersByTime(800);
  drafting.sent();
  // The list tells of the first of both only now.
  drafting.takeOver('a', false);
  await settled();
  drafting.takeOver(undefined, false);
  expect(shown).toEqual([]);
  expect(drafting.text).toBe('');
  expect(stored).toEqual(['a', null]);
});

it('is not emptied by a row that was made before it was stored', async () => {
  drafting.typed('mine');
  drafting.flush();
  now += 60_000;
  drafting.takeOver(undefined, false);
  await settled();
  drafting.takeOver('mine', false);
  drafting.rest();
  expect(shown).toEqual([]);
  expect(stored).toEqual(['mine']);
});

it('that was stored after one of another device stays', async () => {
  drafting.typed('mine');
  drafting.takeOver('from the phone', false);
  vi.advanceTimersByTime(800);
  await settled();
  drafting.takeOver('mine', false);
  drafting.rest();
  expect(shown).toEqual([]);
  expect(drafting.text).toBe('mine');
});

it('of another device that was taken back meanwhile is not shown', async () => {
  drafting.typed('mine');
  drafting.flush();
  await settled();
  drafting.takeOver('from the phone', false);
  drafting.takeOver('mine', false);
  drafting.rest();
  expect(shown).toEqual([]);
});

it('that could not be stored is tried again', async () => {
  let isFull = true;
  const failing = new Drafting(
    (text) => {
      stored.push(text);
      return isFull ? Promise.reject(new Error('full')) : Promise.resolve();
    },
    (text) => shown.push(text),
  );
  failing.typed('mine');
  failing.flush();
  await settled();
  isFull = false;
  failing.flush();
  expect(stored).toEqual(['mine', 'mine']);
});
