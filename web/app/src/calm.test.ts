// That changes are thinned out, and the last one is never lost.
import { writable } from 'svelte/store';
import { beforeEach, expect, it, vi } from 'vitest';

import { calm } from './calm';

beforeEach(() => {
  vi.useFakeTimers();
});

it('tells at once, then once in a while, and the last value always', () => {
  const live = writable(0);
  const told: number[] = [];
  const stop = calm(live, 50).subscribe((value) => told.push(value));
  expect(told).toEqual([0]);
  for (let value = 1; value <= 10; value += 1) {
    live.set(value);
    vi.advanceTimersByTime(20);
  }
  vi.advanceTimersByTime(1_000);
  expect(told).toEqual([0, 1, 3, 5, 8, 10]);
  live.set(11);
  expect(told.at(-1)).toBe(11);
  live.set(12);
  stop();
  vi.advanceTimersByTime(1_000);
  expect(told.at(-1)).toBe(11);
});
