/** What new entries mean for a row of the list and for the account's own state. Pure; rows never change in place. */

import type { AccountId, Entry, OwnItem, Row } from '../wire.js';

/** A row counts mentions up to here. */
const MOST_MENTIONS = 100;

/** What became of a row; `outdated`: it was brought forward, but members or settings changed, so ask for the conversation. */
export type RowChange = 'none' | 'advanced' | 'outdated';

/** Brings a row forward by one entry. Unread counts are differences of ordinals, as on the server. */
export function advanced(before: Row, entry: Entry, me: AccountId): { row: Row; change: RowChange } {
  if (entry.seq <= before.head) return { row: before, change: 'none' };
  const isOwn = entry.kind === 'message' && entry.author === me;
  const countable = Math.max(0, entry.ordinal - before.ordinal);
  const row: Row = {
    ...before,
    head: entry.seq,
    at: Math.max(before.at, entry.at),
    ordinal: Math.max(before.ordinal, entry.ordinal),
    unread: isOwn ? 0 : before.unread + countable,
    mentions: isOwn ? 0 : before.mentions,
  };
  switch (entry.kind) {
    case 'message': {
      const more = !isOwn && mentionsAccount(entry, me) ? 1 : 0;
      return {
        row: { ...row, mentions: Math.min(row.mentions + more, MOST_MENTIONS), last: entry },
        change: 'advanced',
      };
    }
    case 'edit':
    case 'delete':
      return { row: withLastChanged(row, entry), change: 'advanced' };
    case 'settings_changed': {
      const title = (entry.body as { title?: unknown } | undefined)?.title;
      return { row: typeof title === 'string' ? { ...row, title } : row, change: 'outdated' };
    }
    case 'author_erased': {
      if (row.last?.author !== entry.author) return { row, change: 'outdated' };
      const { body: _body, ...last } = row.last;
      return { row: { ...row, last }, change: 'outdated' };
    }
    case 'created':
    case 'members_added':
    case 'member_removed':
    case 'member_left':
    case 'role_changed':
    case 'dissolved':
      return { row, change: 'outdated' };
    default:
      return { row, change: 'advanced' };
  }
}

/** Brings a row forward by many entries. */
export function advancedByAll(
  before: Row,
  entries: readonly Entry[],
  me: AccountId,
): { row: Row; change: RowChange } {
  let [row, change]: [Row, RowChange] = [before, 'none'];
  for (const entry of entries) {
    const step = advanced(row, entry, me);
    row = step.row;
    if (step.change === 'outdated' || change === 'none') change = step.change;
  }
  return { row, change };
}

function withLastChanged(row: Row, act: Entry): Row {
  if (!row.last || row.last.seq !== act.target) return row;
  const { body: _body, mentions: _mentions, ...rest } = row.last;
  const isEdit = act.kind === 'edit' && act.body !== undefined;
  const last = {
    ...rest,
    ...(isEdit && { body: act.body }),
    ...(isEdit && act.mentions && { mentions: act.mentions }),
  };
  return { ...row, last };
}

/** Whether an entry mentions an account, by itself or with everybody. */
export function mentionsAccount(entry: Entry, account: AccountId): boolean {
  return (entry.mentions ?? []).some(({ who }) => who === 'all' || who.account === account);
}

/** Brings a row forward after the account has read up to `read` on this device, before the server has answered. */
export function readLocally(row: Row, read: number): Row {
  const furthest = Math.max(row.read, Math.min(read, row.head));
  const isAll = furthest === row.head;
  return { ...row, read: furthest, unread: isAll ? 0 : row.unread, mentions: isAll ? 0 : row.mentions };
}

/** The values that `set` entries leave behind, newest per key. */
export function ownItems(entries: readonly Entry[]): OwnItem[] {
  const items = new Map<string, OwnItem>();
  for (const { kind, body, seq } of entries) {
    const set = body as { key?: unknown; value?: unknown } | null | undefined;
    if (kind === 'set' && typeof set?.key === 'string') {
      items.set(set.key, { key: set.key, value: set.value ?? null, seq });
    }
  }
  return [...items.values()];
}
