// What the list shows of many conversations.
import type { ConversationSummary } from '@suda/client';
import { expect, it } from 'vitest';

import { arranged } from './arranging';

function row(title: string, archived = false): ConversationSummary {
  return {
    conversation: title,
    kind: 'group',
    title,
    members: 3,
    at: 0,
    head: 0,
    read: 0,
    unread: 0,
    mentions: 0,
    archived,
    unsent: 0,
    colour: 0,
  };
}

const all = [
  row('Book club'),
  row('김하늘'),
  row('Old friends', true),
  row('The Bookshop'),
  row('강민호'),
  row('notebook'),
];

it.each([
  [{ archived: false, query: '' }, ['Book club', '김하늘', 'The Bookshop', '강민호', 'notebook']],
  [{ archived: true, query: '  ' }, ['Old friends']],
  [{ archived: false, query: 'BOOK' }, ['Book club', 'The Bookshop', 'notebook']],
  [{ archived: false, query: 'old' }, ['Old friends']],
  [{ archived: false, query: 'ㄱㅁ' }, ['강민호']],
  [{ archived: false, query: '기' }, ['김하늘']],
  [{ archived: false, query: '김ㅎ' }, ['김하늘']],
  [{ archived: false, query: '하느' }, ['김하늘']],
  [{ archived: false, query: 'nothing' }, []],
  [{ archived: false, query: '김하늘'.normalize('NFD') }, ['김하늘']],
])('%o', (wanted, titles) => expect(arranged(all, wanted).map(({ title }) => title)).toEqual(titles));
