/** Listeners of an app that throw: reported, and nobody misses anything. */

import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import type { SudaEvent } from '../src/api.js';
import { Events } from '../src/client/events.js';
import { Cell } from '../src/client/live.js';
import type { Delta } from '../src/engine/delta.js';
import { Asking } from '../src/share/asking.js';
import type { FromOwner, FromPage, Way } from '../src/share/messages.js';

const reported: unknown[] = [];

beforeEach(() => {
  reported.length = 0;
  vi.stubGlobal('reportError', (thrown: unknown) => void reported.push(thrown));
});

afterEach(() => {
  vi.unstubAllGlobals();
});

function fault(): never {
  throw new Error('a fault of the app');
}

test('a value is told to everybody behind a listener that throws', () => {
  const cell = new Cell(1);
  const told: number[] = [];
  const stop = cell.subscribe(fault);
  cell.subscribe((value) => void told.push(value));
  cell.set(2);
  stop();
  cell.set(3);
  expect(told).toEqual([1, 2, 3]);
  expect(reported).toHaveLength(2);
});

test('an event is told to everybody behind a listener that throws', () => {
  const events = new Events();
  const told: SudaEvent[] = [];
  events.on('lagged', fault);
  events.on('lagged', (event) => void told.push(event));
  events.tell({ type: 'lagged' });
  expect(told).toEqual([{ type: 'lagged' }]);
  expect(reported).toHaveLength(1);
});

test('a page says that it has seen what it could not take', () => {
  const sent: FromPage[] = [];
  const told: (delta: Delta) => void = fault;
  const opening = { server: '', key: { kind: 'cookie' }, device: { name: '', platform: 'web' } } as const;
  const asking = new Asking('page', { ...opening, storage: 'memory' }, () => Promise.reject(new Error()), {
    told,
    taken: () => undefined,
  });
  const way: Way<FromPage, FromOwner> = {
    send: (message) => void sent.push(message),
    onmessage: () => undefined,
    close: () => undefined,
  };
  asking.attach(way);
  expect(() => way.onmessage({ say: 'delta', delta: {} })).toThrow('a fault of the app');
  expect(sent.map(({ say }) => say)).toEqual(['open', 'seen']);
});
