// Whose glimpse is kept and shown.
import { beforeEach, expect, it } from 'vitest';

import { KEPT, LEAVING, LOGIN, type Glimpse } from './glimpse';
import { keepGlimpse } from './keeping';
import { readGlimpse } from './reading';

const kept = new Map<string, string>();
const storage = {
  getItem: (key: string) => kept.get(key) ?? null,
  setItem: (key: string, value: string) => void kept.set(key, value),
};
const glimpse: Glimpse = { login: 'mina 1', page: '/page.js', language: 'en', day: 'today', shell: 'Hello' };

beforeEach(() => {
  kept.clear();
  kept.set(LOGIN, glimpse.login);
  keepGlimpse(storage, glimpse);
});

it('is shown to the login that saw it', () => {
  expect(readGlimpse(storage, '/page.js')).toEqual(glimpse);
});

it.each([
  ['after a log-out', LOGIN, undefined],
  ['while the server has not heard of a log-out', LEAVING, '1'],
  ['after somebody else logged in', LOGIN, 'joon 2'],
  ['after the same account logged in again', LOGIN, 'mina 3'],
  ['where it cannot be read', KEPT, '{'],
])('is not shown %s', (_, key, value) => {
  if (value === undefined) kept.delete(key);
  else kept.set(key, value);
  expect(readGlimpse(storage, '/page.js')).toBeUndefined();
});

it('is not shown by a page of another version', () => {
  expect(readGlimpse(storage, '/page-2.js')).toBeUndefined();
});

it.each([undefined, 'joon 2'])(
  'is not kept by a page whose login is over, while %s is logged in',
  (login) => {
    kept.delete(KEPT);
    if (login === undefined) kept.delete(LOGIN);
    else kept.set(LOGIN, login);
    keepGlimpse(storage, glimpse);
    expect(kept.has(KEPT)).toBe(false);
  },
);

it('is not kept where it is too large', () => {
  kept.delete(KEPT);
  keepGlimpse(storage, { ...glimpse, shell: 'x'.repeat(100_001) });
  expect(kept.has(KEPT)).toBe(false);
});
