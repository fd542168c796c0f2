// Marks of members: what all share, and who is how far.
import type { MemberState } from '@suda/client';
import { expect, it } from 'vitest';

import { receiptsOf, sharedMarks } from './receipts';

function member(account: string, delivered: number, read: number): MemberState {
  return { account, role: 'member', delivered, read };
}

it.each<[string, MemberState[], { read: number; delivered: number }]>([
  ['nobody else', [member('me', 9, 9)], { read: 0, delivered: 0 }],
  ['one', [member('me', 9, 9), member('a', 7, 5)], { read: 5, delivered: 7 }],
  ['the slowest counts', [member('a', 7, 5), member('b', 3, 0)], { read: 0, delivered: 3 }],
  ['reading implies receiving', [member('a', 0, 5)], { read: 5, delivered: 5 }],
])('%s', (_, members, expected) => expect(sharedMarks(members, 'me')).toEqual(expected));

it('members by how far they are', () => {
  const members = [member('me', 9, 9), member('a', 9, 4), member('b', 4, 3), member('c', 3, 0)];
  expect(receiptsOf(4, members, 'me')).toEqual({ read: ['a'], delivered: ['b'], neither: ['c'] });
});
