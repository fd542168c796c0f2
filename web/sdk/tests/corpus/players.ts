/** What a step of the shared corpus does to each pure part, and what comes of it, as JSON. */

import { Attendance, type Changed } from '../../src/core/attendance.js';
import { Backoff } from '../../src/core/backoff.js';
import {
  absorbed,
  confirmed,
  emptySlice,
  heard,
  isDoubtful,
  missing,
  received,
  unknown,
  wanted,
  type Batch,
  type ConversationState,
} from '../../src/core/conversation.js';
import { directConversation, groupConversation, ownConversation } from '../../src/core/ids.js';
import { scalarsBefore, unitsBefore } from '../../src/core/mentions.js';
import { Outbox, type Item } from '../../src/core/outbox.js';
import * as ranges from '../../src/core/ranges.js';
import { Reconnect, type Loss } from '../../src/core/reconnect.js';
import { isAct, reactionCounts, type CachedEntry } from '../../src/core/standing.js';
import { advanced, ownItems, readLocally } from '../../src/core/sync.js';
import { OwnTyping, Typists } from '../../src/core/typing.js';
import type { Entry, ErrorBody, Opened, Presence, Row } from '../../src/wire.js';

/** One step: a single member, named by what it does. */
export type Do = Record<string, unknown>;

/** Plays the steps of one case, one after the other. */
export type Player = (step: Do) => unknown;

/** The account whose device the cases are about. */
const ME = '00000001-0000-7000-8000-000000000001';

function only(step: Do): [string, never] {
  const [name, value] = Object.entries(step)[0] ?? ['', undefined];
  return [name, value as never];
}

function playRanges(): Player {
  let held: ranges.Ranges = [];
  return (step) => {
    const [name, value] = only(step);
    const [first = 0, second = 0] = [value as unknown].flat() as number[];
    switch (name) {
      case 'insert':
        return (held = ranges.insert(held, first, second));
      case 'keep_from':
        return (held = ranges.keepFrom(held, first));
      case 'around':
        return ranges.around(held, first) ?? null;
      case 'covers':
        return ranges.covers(held, first, second);
      case 'first_hole':
        return ranges.firstHole(held, first, second) ?? null;
      case 'last_below':
        return ranges.lastBelow(held, first) ?? null;
      default:
        return ranges.startOfNewest(held, first) ?? null;
    }
  };
}

function shownEntry(one: CachedEntry): unknown {
  const { seq, kind, body, mentions } = one.entry;
  return {
    seq,
    kind,
    edited: one.edited,
    deleted: one.deleted,
    body: body ?? null,
    mentions: mentions ?? [],
    reactions: reactionCounts(one).sort((a, b) => (a.emoji < b.emoji ? -1 : 1)),
  };
}

function playConversation(given: Do): Player {
  let state: ConversationState = unknown(given['epoch'] as number, given['head'] as number);
  const entries = new Map<number, CachedEntry>();
  const absorb = (batch: Batch): unknown => {
    const needed = wanted(state, batch);
    const slice = emptySlice();
    for (const [seq, one] of entries) {
      const { target } = one.entry;
      const isActOn = isAct(one.entry) && target !== undefined && needed.actsOn.has(target);
      if (needed.seqs.has(seq) || isActOn) slice.entries.set(seq, one);
    }
    const { state: after, outcome } = absorbed(state, slice, batch, ME);
    state = after;
    if (outcome.reset) entries.clear();
    slice.dirty.forEach((seq) => entries.set(seq, slice.entries.get(seq) as CachedEntry));
    [...entries.keys()].filter((seq) => seq < outcome.droppedBelow).forEach((seq) => entries.delete(seq));
    const { reset, droppedBelow, added, stale } = outcome;
    const all = { reset, dropped_below: droppedBelow, added: [...added].sort((a, b) => a - b), stale };
    return { ...all, state, missing: missing(state) ?? null };
  };
  return (step) => {
    const [name, value] = only(step);
    if (name === 'absorb') return absorb(value);
    if (name === 'entries') return [...entries].sort(([a], [b]) => a - b).map(([, one]) => shownEntry(one));
    const [epoch, head, known] = value as [number, number, number];
    if (name === 'doubts') return isDoubtful(state, epoch, head);
    const told = name === 'hear' ? heard(state, epoch, head) : confirmed(state, epoch, head, known);
    state = told.state;
    if (told.isVoid) entries.clear();
    return { void: told.isVoid, state, missing: missing(state) ?? null };
  };
}

function playResume(given: Do): Player {
  const before = given['state'] as ConversationState;
  return (step) => {
    const [epoch, head] = step['row'] as [number, number];
    if (isDoubtful(before, epoch, head)) return { then: 'ask_the_log', received: received(before) };
    const { state, isVoid } = heard(before, epoch, head);
    return isVoid ? { then: 'reset', state } : { then: 'fill', missing: missing(state) ?? null };
  };
}

function playRows(given: Do): Player {
  let row = given['row'] as Row;
  return (step) => {
    const [name, value] = only(step);
    if (name === 'own_items') return ownItems(value as Entry[]).sort((a, b) => (a.key < b.key ? -1 : 1));
    if (name === 'read') return (row = readLocally(row, value));
    const step_ = advanced(row, value as Entry, ME);
    row = step_.row;
    return { change: step_.change, row };
  };
}

function playOutbox(): Player {
  const outbox = new Outbox();
  let where = '';
  return (step) => {
    const [name, value] = only(step);
    switch (name) {
      case 'push':
        where = (value as Item).conversation;
        outbox.push(value);
        return outbox.count;
      case 'take_ready':
        return outbox
          .takeReady(where, value)
          .map(({ client_id, after, base }) => [client_id, after ?? null, base]);
      case 'acknowledged':
        return outbox.remove(where, value) !== undefined;
      case 'refused': {
        const [clientId, error] = value as [string, ErrorBody];
        const refusal = outbox.refused(where, clientId, error);
        if (refusal.then !== 'pause') return { then: refusal.then };
        return { then: 'pause', retry_after_ms: refusal.retryAfterMs, grows: refusal.grows };
      }
      case 'lowest_base':
        return outbox.lowestBase(where) ?? null;
      case 'rebase':
        return outbox.rebase(where, value).map((item) => item.client_id);
      case 'clamp':
        return outbox.clamp(where, value).map((item) => item.client_id);
      case 'release':
        return outbox.release(where) ?? null;
      default:
        return outbox.disconnected() ?? null;
    }
  };
}

/** A loss is a word, `{"closed": code}` or `{"refused": error}`. */
function lossOf(given: unknown): Loss {
  if (typeof given === 'string') return { why: given } as Loss;
  const { closed, refused } = given as { closed?: number; refused?: ErrorBody };
  return refused
    ? { why: 'refused', error: refused }
    : { why: 'closed', ...(closed !== undefined && { code: closed }) };
}

function playReconnect(): Player {
  const [backoff, reconnect] = [new Backoff(), new Reconnect()];
  return (step) => {
    const [name, value] = only(step);
    const values = value as unknown as [never, never, never];
    switch (name) {
      case 'backoff':
        return backoff.next(value);
      case 'reset':
        return backoff.reset() ?? null;
      case 'succeeded':
        return reconnect.succeeded(values[0], values[1]) ?? null;
      default: {
        const loss = lossOf(values[0]);
        const next =
          name === 'failed'
            ? reconnect.failed(loss, values[1], values[2])
            : reconnect.lost(loss, values[1], values[2]);
        return next.then === 'wait' ? { then: 'wait', pause_ms: Math.round(next.pauseMs) } : next;
      }
    }
  };
}

function playIds(): Player {
  return (step) => {
    const [name, value] = only(step);
    const [one, other] = value as [string, string];
    if (name === 'direct') return directConversation(one, other);
    return name === 'own' ? ownConversation(value) : groupConversation(one, other);
  };
}

function playTyping(): Player {
  const [typists, own] = [new Typists(), new OwnTyping()];
  return (step) => {
    const [name, value] = only(step);
    const values = value as unknown as [string, never, never, never];
    switch (name) {
      case 'note':
        return typists.note(...values);
      case 'of':
        return typists.of(value);
      case 'expire':
        return typists.expire(value).map(({ conversation, account }) => [conversation, account]);
      case 'leave':
        return typists.leave(value ?? undefined).map(({ conversation, account }) => [conversation, account]);
      case 'next_expiry':
        return typists.nextExpiry() ?? null;
      case 'own_sent':
        return own.sent(value) ?? null;
      default:
        return own.isToTell(values[0], values[1], values[2]);
    }
  };
}

function changedOf({ accounts, conversations }: Changed): unknown {
  return { accounts: [...accounts].sort(), conversations: [...conversations].sort() };
}

function playAttendance(): Player {
  const attendance = new Attendance();
  return (step) => {
    const [name, value] = only(step);
    const values = value as unknown as [string, never];
    switch (name) {
      case 'want':
        return attendance.want(value) ?? null;
      case 'tell': {
        const { accounts, changed } = attendance.tell();
        return { told: accounts.sort(), changed: changedOf(changed) };
      }
      case 'tell_again':
        return attendance.tellAgain() ?? null;
      case 'has_to_tell':
        return attendance.hasToTell();
      case 'hear':
        return changedOf(attendance.hear(value as Presence[]));
      case 'enter':
        return changedOf(attendance.enter(values[0], ME, values[1] as Opened));
      case 'leave':
        return changedOf(attendance.leave(value));
      case 'lose':
        return changedOf(attendance.lose());
      case 'of':
        return attendance.of(value);
      case 'online':
        return attendance.online(value) ?? null;
      case 'counted':
        return attendance.isCounted(value);
      default:
        return attendance.isOutdated(values[0], new Set(values[1] as string[]));
    }
  };
}

function playMentions(given: Do): Player {
  const text = given['text'] as string;
  return (step) => {
    const [name, value] = only(step);
    return name === 'scalars_before' ? scalarsBefore(text, value) : unitsBefore(text, value);
  };
}

/** The players by the name of the file. */
export const players: Readonly<Record<string, (given: Do) => Player>> = {
  attendance: playAttendance,
  conversation: playConversation,
  ids: playIds,
  mentions: playMentions,
  outbox: playOutbox,
  ranges: playRanges,
  reconnect: playReconnect,
  resume: playResume,
  rows: playRows,
  typing: playTyping,
};
