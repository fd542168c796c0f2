// What is told by a notification, and what is not.
import type { ConversationSummary, Message } from '@suda/client';
import { describe, expect, it } from 'vitest';
import { badgeText, isWorthANotice, titled } from './notices';

const ME = '01010101-0101-0101-0101-010101010101';
const MINA = '02020202-0202-0202-0202-020202020202';
const HERE = 'f7153420-bbb1-815f-958e-bd75d9d88d7a';
const NOW = 1_795_347_169_000;

const summary: ConversationSummary = {
  conversation: HERE,
  kind: 'group',
  title: 'Lunch',
  members: 3,
  role: 'member',
  at: NOW,
  head: 9,
  read: 8,
  unread: 1,
  mentions: 0,
  archived: false,
  unsent: 0,
  colour: 20,
};
const message: Message = {
  conversation: HERE,
  seq: 9,
  clientId: '01a20307-bf70-78be-aa90-c403162896f7',
  author: MINA,
  at: NOW,
  content: { type: 'text', text: 'Hello', mentions: [] },
  edited: false,
  reactions: [],
  state: { state: 'sent' },
  changing: false,
};
const mentioning: Message = {
  ...message,
  content: { type: 'text', text: '@me', mentions: [{ who: { account: ME }, start: 0, length: 3 }] },
};
const away = { looking: false };

describe('a notification', () => {
  it.each([
    ['a message while nobody looks', message, summary, away, true],
    ['a message in another conversation', message, summary, { looking: true, open: 'another' }, true],
    ['a message on screen', message, summary, { looking: true, open: HERE }, false],
    ['a message on screen behind another window', message, summary, { looking: false, open: HERE }, true],
    ['an own message', { ...message, author: ME }, summary, away, false],
    ['a message that was read elsewhere', message, { ...summary, read: 9 }, away, false],
    ['a deleted message', { ...message, content: { type: 'deleted' } }, summary, away, false],
    ['an archived conversation', message, { ...summary, archived: true }, away, false],
    ['a muted one', message, { ...summary, mute: { until: null, except_mentions: true } }, away, false],
    ['a mention in it', mentioning, { ...summary, mute: { until: null, except_mentions: true } }, away, true],
    [
      'a mention, silenced too',
      mentioning,
      { ...summary, mute: { until: null, except_mentions: false } },
      away,
      false,
    ],
    [
      'a mute that is over',
      message,
      { ...summary, mute: { until: NOW - 1, except_mentions: false } },
      away,
      true,
    ],
  ] as const)('for %s', (_, what, where, attention, told) => {
    expect(isWorthANotice(what as Message, where as ConversationSummary, ME, attention, NOW)).toBe(told);
  });
});

describe('the badge', () => {
  it('stays short', () => {
    expect([1, 99, 100, 4000].map(badgeText)).toEqual(['1', '99', '99+', '99+']);
    expect(titled('Suda', 0)).toBe('Suda');
    expect(titled('Suda', 3)).toBe('(3) Suda');
  });
});
