// Logins as several tabs of a browser see them.
import { beforeEach, expect, it } from 'vitest';

import { Entered } from './entered';

let first: Entered;
let second: Entered;

beforeEach(() => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  [first, second] = [new Entered(storage), new Entered(storage)];
  first.mark('mina', 1);
  second.takeUp();
});

it('is there for every tab until one logs out', () => {
  expect(second.isMarked).toBe(true);
  expect(first.forget()).toBe(true);
  expect(second.isMarked).toBe(false);
  expect(second.forget()).toBe(true);
});

it.each(['mina', 'joon'])('of %s stays when a tab forgets the one before', (account) => {
  second.forget();
  second.mark(account, 2);
  expect(first.forget()).toBe(false);
  expect(second.isMarked).toBe(true);
  first.takeUp();
  expect(first.forget()).toBe(true);
});

it('that is kept in memory alone leaves no mark', () => {
  second.forget();
  first.takeUp();
  expect(first.forget()).toBe(true);
  expect(first.isMarked).toBe(false);
});
