// Days, groups, the line of the unread, and that unchanged rows stay the same objects.
import type { Message } from '@suda/client';
import { describe, expect, it } from 'vitest';

import { Rows, type ConversationRow } from './rows';

const noon = new Date(2026, 10, 22, 12).getTime();
const MINUTE = 60_000;

function message(seq: number, author: string, at: number, change: Partial<Message> = {}): Message {
  return {
    conversation: 'c',
    seq,
    clientId: `id${seq}`,
    author,
    at,
    content: { type: 'text', text: `text ${seq}`, mentions: [] },
    edited: false,
    reactions: [],
    state: { state: 'sent' },
    changing: false,
    ...change,
  };
}

function made(messages: Message[], unreadFrom?: number): ConversationRow[] {
  return new Rows().from({ messages, unreadFrom, hasEarlier: false, lineLength: 50 });
}

/** Rows in short: `-` day, `!` unread, `*` event; a message as its number with `(` where a group begins, `)` where it ends. */
function shown(rows: ConversationRow[]): string {
  const signs = rows.slice(0, -1).map((row) => {
    if (row.type === 'start') return '^';
    if (row.type === 'end') return '$';
    if (row.type === 'day') return '-';
    if (row.type === 'unread') return '!';
    if (row.type === 'event') return '*';
    return `${row.first ? '(' : ''}${row.message.seq ?? '?'}${row.last ? ')' : ''}`;
  });
  return signs.join(' ');
}

describe('rows', () => {
  it.each<[string, Message[], number | undefined, string]>([
    ['nothing', [], undefined, ''],
    ['one', [message(1, 'a', noon)], undefined, '- (1)'],
    ['a group', [1, 2, 3].map((seq) => message(seq, 'a', noon + seq)), undefined, '- (1 2 3)'],
    [
      'two authors',
      [message(1, 'a', noon), message(2, 'b', noon), message(3, 'b', noon)],
      undefined,
      '- (1) (2 3)',
    ],
    ['a pause', [message(1, 'a', noon), message(2, 'a', noon + 6 * MINUTE)], undefined, '- (1) (2)'],
    [
      'midnight',
      [message(1, 'a', noon + 719 * MINUTE), message(2, 'a', noon + 721 * MINUTE)],
      undefined,
      '- (1) - (2)',
    ],
    ['unread cuts a group', [1, 2, 3].map((seq) => message(seq, 'a', noon)), 2, '- (1) ! (2 3)'],
    ['unread at the first', [message(4, 'a', noon)], 2, '- ! (4)'],
    ['unread not loaded yet', [message(1, 'a', noon)], 2, '- (1)'],
    [
      'something that happened cuts a group',
      [
        message(1, 'a', noon),
        message(2, 'a', noon, { content: { type: 'member_left' } }),
        message(3, 'a', noon),
      ],
      undefined,
      '- (1) * (3)',
    ],
    ['deleted ones stay', [message(1, 'a', noon, { content: { type: 'deleted' } })], undefined, '- (1)'],
  ])('%s', (_, messages, unreadFrom, expected) => expect(shown(made(messages, unreadFrom))).toBe(expected));

  it('begin with a notice while there are earlier ones, and end with some room', () => {
    const rows = new Rows().from({
      messages: [message(1, 'a', noon)],
      unreadFrom: undefined,
      hasEarlier: true,
      lineLength: 50,
    });
    expect(rows.map(({ type }) => type)).toEqual(['start', 'day', 'message', 'end']);
  });

  it('have keys that differ even where another author took over a client id', () => {
    const rows = made([message(1, 'a', noon), message(2, 'b', noon, { clientId: 'id1' })]);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  });

  it('stay the same objects where nothing changed', () => {
    const rows = new Rows();
    const messages = [message(1, 'a', noon), message(2, 'a', noon)];
    const before = rows.from({ messages, unreadFrom: undefined, hasEarlier: false, lineLength: 50 });
    const after = rows.from({
      messages: [...messages, message(3, 'a', noon)],
      unreadFrom: undefined,
      hasEarlier: false,
      lineLength: 50,
    });
    expect(after[0]).toBe(before[0]);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).not.toBe(before[2]);
    expect(shown(after)).toBe('- (1 2 3)');
  });
});
