/** A timeline while messages come and pages are read at once: no hole, in whatever order it happens. */

import { beforeEach, expect, test, vi } from 'vitest';

import { Mirror } from '../src/client/mirror.js';
import { OpenTimeline } from '../src/client/timeline.js';
import type { Anchor } from '../src/core/stretch.js';
import type { Reading } from '../src/engine/delta.js';
import type { Calls } from '../src/engine/desk.js';
import type { Message } from '../src/model.js';
import type { OwnAccount } from '../src/wire.js';

const conversation = 'e507be39-fa9f-8268-856b-b29a8e996e27';

/** A page that was asked for, to be answered when the test wants it. */
interface AskedPage {
  anchor: Anchor;
  give(from: number, to: number, around?: { hasEarlier?: boolean; hasLater?: boolean }): void;
}

let asked: AskedPage[];
let moment: number;
let mirror: Mirror;

beforeEach(() => {
  asked = [];
  moment = 0;
  mirror = new Mirror({} as OwnAccount, calls);
});

const calls = {
  show: () => Promise.resolve(),
  hide: () => Promise.resolve(),
  read: (_: string, anchor: Anchor) =>
    new Promise<Reading>((resolve) => {
      const at = moment;
      const give: AskedPage['give'] = (from, to, { hasEarlier = false, hasLater = false } = {}) => {
        const messages = stretch(from, to);
        resolve({ messages, unsent: [], from, to, hasEarlier, hasLater, moment: at });
      };
      asked.push({ anchor, give });
    }),
} as Partial<Calls> as Calls;

function stretch(from: number, to: number): Message[] {
  const seqs = Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
  return seqs.map((seq) => ({ seq }) as Message);
}

/** The next page that was asked for. */
async function next(): Promise<AskedPage> {
  await vi.waitFor(() => expect(asked).not.toEqual([]));
  return asked.shift() as AskedPage;
}

/** The engine tells of new messages, and from where on it has everything. */
function tell(from: number, to: number, known: number): void {
  moment += 1;
  mirror.apply({ messages: [{ conversation, changed: stretch(from, to), tail: [known, to], moment }] });
}

async function opened(from: number, to: number, around = {}): Promise<OpenTimeline> {
  const timeline = new OpenTimeline(conversation, calls, mirror, undefined);
  (await next()).give(from, to, around);
  await vi.waitFor(() => expect(seqs(timeline)).toHaveLength(to - from + 1));
  return timeline;
}

function seqs(timeline: OpenTimeline): number[] {
  return timeline.value.messages.map(({ seq }) => seq ?? 0);
}

function numbers(from: number, to: number): number[] {
  return stretch(from, to).map(({ seq }) => seq ?? 0);
}

test('a message that comes while what was missed is read makes no hole', async () => {
  const timeline = await opened(1, 10);
  tell(20, 20, 20);
  tell(11, 19, 1);
  const page = await next();
  expect(page.anchor).toEqual({ at: 'after', seq: 10 });
  tell(21, 21, 1);
  page.give(11, 20);
  await vi.waitFor(() => expect(seqs(timeline)).toEqual(numbers(1, 21)));
});

test('what was missed while an earlier page is read is read after it', async () => {
  const timeline = await opened(101, 110, { hasEarlier: true });
  const loading = timeline.loadEarlier();
  const earlier = await next();
  tell(120, 120, 120);
  tell(111, 119, 101);
  earlier.give(51, 100, { hasEarlier: true });
  await loading;
  (await next()).give(111, 120);
  await vi.waitFor(() => expect(seqs(timeline)).toEqual(numbers(51, 120)));
});

test('an earlier page that does not join any more is not shown', async () => {
  const timeline = await opened(1_001, 1_600, { hasEarlier: true });
  const loading = timeline.loadEarlier();
  const earlier = await next();
  tell(1_601, 1_601, 1_001);
  const first = seqs(timeline)[0] ?? 0;
  expect(first).toBeGreaterThan(1_001);
  earlier.give(941, 1_000, { hasEarlier: true });
  expect(await loading).toBe(true);
  expect(seqs(timeline)).toEqual(numbers(first, 1_601));
});

test('a place that could not be read before there was a connection is read when there is one', async () => {
  const timeline = new OpenTimeline(conversation, calls, mirror, 500);
  (await next()).give(1, 0, { hasLater: true });
  const instead = await next();
  expect(instead.anchor).toEqual({ at: 'newest' });
  instead.give(1, 0);
  await vi.waitFor(() => expect(timeline.value.loading).toBe(false));
  mirror.apply({ connection: { state: 'online', polling: false } });
  const page = await next();
  expect(page.anchor).toEqual({ at: 'around', seq: 500 });
  page.give(1, 0, { hasLater: true });
  await vi.waitFor(() => expect(timeline.value.loading).toBe(false));
  tell(1_000, 1_000, 1_000);
  const again = await next();
  expect(again.anchor).toEqual({ at: 'around', seq: 500 });
  again.give(490, 510, { hasEarlier: true, hasLater: true });
  await vi.waitFor(() => expect(seqs(timeline)).toEqual(numbers(490, 510)));
});
