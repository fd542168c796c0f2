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

it('of another device that came into the typing is shown once that ends', () => {
  drafting.typed('mine');
  drafting.flush();
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
