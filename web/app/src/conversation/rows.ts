// What a conversation shows from top to bottom: days, the line where the unread begin, messages in groups, happenings.
import type { Message } from '@suda/client';

import type { ColumnRow } from '../virtual/column';

/** One row. An unchanged row stays the same object, so that only what changed is drawn anew. */
export type ConversationRow = ColumnRow &
  (
    | { type: 'day'; at: number }
    | { type: 'unread' }
    /** Above the first message while earlier ones are on their way; below the last one, for distance. */
    | { type: 'start' }
    | { type: 'end' }
    | { type: 'event'; message: Message }
    /** `first` and `last` say where in its group a bubble stands. */
    | { type: 'message'; message: Message; first: boolean; last: boolean }
  );

/** What the rows are made of. */
export interface Shown {
  messages: readonly Message[];
  /** The sequence of the first unread message, where the line goes. */
  unreadFrom: number | undefined;
  hasEarlier: boolean;
  /** Characters in a line, for guessing heights. */
  lineLength: number;
}

/** Messages of one author this close together make a group. */
const GROUP_MILLISECONDS = 5 * 60_000;
const LINE_PIXELS = 21;
const BUBBLE_PIXELS = 32;
/** Beyond this a text is folded, see `Bubble`. */
const MOST_LINES = 24;

/** Unique in a conversation: a client id names an act of its author only. */
export function keyOf(message: Message): string {
  return `${message.author}/${message.clientId}`;
}

/** Makes rows, taking over those of the last time that did not change. */
export class Rows {
  private before = new Map<string, ConversationRow>();

  from({ messages, unreadFrom, hasEarlier, lineLength }: Shown): ConversationRow[] {
    const rows: ConversationRow[] = [];
    if (hasEarlier) rows.push({ type: 'start', key: 'start', estimate: 40 });
    let unreadShown = false;
    messages.forEach((message, at) => {
      const previous = messages[at - 1];
      const next = messages[at + 1];
      if (previous === undefined || !sameDay(previous.at, message.at)) {
        rows.push({
          type: 'day',
          key: `day/${new Date(message.at).toDateString()}/${keyOf(message)}`,
          estimate: 48,
          at: message.at,
        });
      }
      if (!unreadShown && unreadFrom !== undefined && (message.seq ?? Infinity) >= unreadFrom) {
        unreadShown = true;
        rows.push({ type: 'unread', key: `unread/${unreadFrom}`, estimate: 48 });
      }
      if (!isBubble(message)) {
        rows.push({ type: 'event', key: keyOf(message), estimate: 36, message });
        return;
      }
      const first = !(
        previous !== undefined &&
        rows.at(-1)?.type === 'message' &&
        together(previous, message)
      );
      const breaks =
        next !== undefined &&
        unreadFrom !== undefined &&
        !unreadShown &&
        (next.seq ?? Infinity) >= unreadFrom;
      const last = !(next !== undefined && isBubble(next) && together(message, next) && !breaks);
      rows.push({
        type: 'message',
        key: keyOf(message),
        estimate: estimate(message, lineLength) + (last ? 6 : 0),
        message,
        first,
        last,
      });
    });
    if (messages.length > 0) rows.push({ type: 'end', key: 'end', estimate: 8 });
    return this.keep(rows);
  }

  private keep(rows: ConversationRow[]): ConversationRow[] {
    const kept = rows.map((row) => {
      const old = this.before.get(row.key);
      return old !== undefined && same(old, row) ? old : row;
    });
    this.before = new Map(kept.map((row) => [row.key, row]));
    return kept;
  }
}

/** Whether it is something that somebody said, rather than something that happened. */
export function isBubble(message: Message): boolean {
  const { type } = message.content;
  return type === 'text' || type === 'custom' || type === 'deleted' || type === 'unsupported';
}

function together(a: Message, b: Message): boolean {
  return a.author === b.author && b.at - a.at < GROUP_MILLISECONDS && sameDay(a.at, b.at);
}

/** The day that was looked at last, from its first to its last millisecond: neighbours are mostly of the same one. */
let present = { from: 0, to: 0 };

/** Whether two times are on the same calendar day here. */
function sameDay(a: number, b: number): boolean {
  if (a < present.from || a >= present.to) {
    const from = new Date(a);
    present = { from: from.setHours(0, 0, 0, 0), to: from.setDate(from.getDate() + 1) };
  }
  return b >= present.from && b < present.to;
}

function same(a: ConversationRow, b: ConversationRow): boolean {
  if (a.type !== b.type) return false;
  if (a.type === 'message' && b.type === 'message') {
    return a.message === b.message && a.first === b.first && a.last === b.last;
  }
  return a.type !== 'event' || b.type !== 'event' || a.message === b.message;
}

/** A guess at a height that was never measured: close enough that the scroll bar does not jump. */
function estimate(message: Message, lineLength: number): number {
  if (message.content.type !== 'text') return BUBBLE_PIXELS + LINE_PIXELS;
  let lines = 0;
  for (const line of message.content.text.split('\n', MOST_LINES))
    lines += Math.max(1, Math.ceil(line.length / lineLength));
  const extras = (message.replyTo === undefined ? 0 : 52) + (message.reactions.length > 0 ? 28 : 0);
  return BUBBLE_PIXELS - LINE_PIXELS / 2 + Math.min(lines, MOST_LINES) * LINE_PIXELS + extras;
}
