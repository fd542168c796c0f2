/**
 * What the cache knows of one conversation: pure, without clock or I/O.
 *
 * The invariant: every act (edit, deletion, reaction) up to `synced` was applied to what is cached. Entries may come in
 * any order, twice, from events, pages and acknowledgements; what is missing between `synced` and `head` is told by
 * `missing`, and once that is fetched the cache equals the log as it stands.
 */

import * as ranges from './ranges.js';
import type { Ranges } from './ranges.js';
import { cached, changed, counted, erased, isAct, isDeleted, merged, type CachedEntry } from './standing.js';
import type { AccountId, Entry, Page, HistoryRange } from '../wire.js';

/** How many entries are asked for in one page. */
export const PAGE = 200;

/** A wider gap than this is not filled: what lies below it is dropped and read again when somebody looks. */
export const WIDEST_GAP = 2 * PAGE;

/** More separate ranges than this are not kept. */
const MOST_RANGES = 64;

/** What the cache knows of one conversation, its entries apart; never changed in place. */
export interface ConversationState {
  /** The log's epoch. */
  readonly epoch: number;
  /** The highest sequence heard of. */
  readonly head: number;
  /** Every act up to here was applied to what is cached. */
  readonly synced: number;
  /** Which entries are cached. */
  readonly known: Ranges;
  /** The newest entry that erased an author. What was cached before it is void, and so is every older page. */
  readonly erased: number;
}

/** Entries that came together. */
export interface Batch {
  epoch: number;
  /** The first sequence that it covers. */
  from: number;
  /** The last sequence that it covers; `from - 1` where there is nothing. */
  to: number;
  /** The head when it was made; for an event its last entry. */
  head: number;
  /** Ascending. */
  entries: readonly Entry[];
}

/** The cached entries that a batch touches, taken out of the cache and put back when changed. */
export interface Slice {
  /** The entries by number. */
  entries: Map<number, CachedEntry>;
  /** The numbers of those that changed. */
  dirty: Set<number>;
}

/** Which cached entries a batch needs. */
export interface Wanted {
  /** These entries. */
  seqs: Set<number>;
  /** All acts that point at these. */
  actsOn: Set<number>;
}

/** What absorbing a batch did. */
export interface Outcome {
  /** The epoch changed: everything cached before is void. */
  reset: boolean;
  /** Everything cached below this number is void; 0 where nothing is. */
  droppedBelow: number;
  /** The numbers that became known. */
  added: Set<number>;
  /** The batch was older than what has been applied since and was left aside: ask again. */
  stale: boolean;
}

/** A conversation of which nothing is cached. */
export function unknown(epoch: number, head: number): ConversationState {
  return { epoch, head, synced: 0, known: [], erased: 0 };
}

/** An empty slice. */
export function emptySlice(): Slice {
  return { entries: new Map(), dirty: new Set() };
}

/** A batch from an event's or acknowledgement's entries; absent where there are none. */
export function batchOfEntries(epoch: number, entries: readonly Entry[]): Batch | undefined {
  const [first, last] = [entries[0], entries.at(-1)];
  return first && last && { epoch, from: first.seq, to: last.seq, head: last.seq, entries };
}

/** A batch from a page. */
export function batchOfPage(page: Page): Batch {
  return { epoch: page.epoch, from: page.from, to: page.to, head: page.head, entries: page.entries };
}

/** Which cached entries a batch needs. */
export function wanted(state: ConversationState, batch: Batch): Wanted {
  const needed: Wanted = { seqs: new Set(), actsOn: new Set() };
  const last = ranges.last(state.known) ?? 0;
  for (const entry of batch.entries) {
    // Nothing is cached beyond the last, and acts come after what they act on.
    if (entry.seq <= last) needed.seqs.add(entry.seq);
    if (entry.seq <= last && entry.kind === 'message') needed.actsOn.add(entry.seq);
    if (isAct(entry) && entry.target !== undefined) {
      needed.seqs.add(entry.target);
      needed.actsOn.add(entry.target);
    }
  }
  return needed;
}

/** The highest sequence received or heard of: the base of sends. */
export function received(state: ConversationState): number {
  return Math.max(state.head, ranges.last(state.known) ?? 0);
}

/** What to ask for next, so that nothing cached is behind; absent for a conversation of which nothing is cached. */
export function missing(state: ConversationState): HistoryRange | undefined {
  const last = ranges.last(state.known);
  if (last === undefined) return undefined;
  // A first page may end below the head as of which it stands.
  const hole = ranges.firstHole(state.known, Math.min(state.synced, last) + 1, state.head);
  if (!hole) return undefined;
  const [from, to] = hole;
  if (to - from >= WIDEST_GAP && to === state.head) return { newest: { limit: PAGE } };
  return { between: { from, to: Math.min(to, from + PAGE - 1) } };
}

/**
 * Takes a list's word for epoch and head. `isVoid` says whether everything cached is void.
 *
 * A head below what was received proves nothing, since lists may lag: ask the log, see `isDoubtful`.
 */
export function heard(
  state: ConversationState,
  epoch: number,
  head: number,
): { state: ConversationState; isVoid: boolean } {
  if (state.epoch !== epoch) return { state: unknown(epoch, head), isVoid: true };
  return { state: head > state.head ? { ...state, head } : state, isVoid: false };
}

/** Whether a list's head lies below what was received, so that the log must be asked. */
export function isDoubtful(state: ConversationState, epoch: number, head: number): boolean {
  return state.epoch === epoch && head < (ranges.last(state.known) ?? 0);
}

/**
 * Takes the log's word for its head, asked for when `known` was the highest sequence here. `isVoid` says whether
 * everything cached is void, because it lies beyond.
 */
export function confirmed(
  state: ConversationState,
  epoch: number,
  head: number,
  known: number,
): { state: ConversationState; isVoid: boolean } {
  if (state.epoch === epoch && known <= head) return { state, isVoid: false };
  return { state: unknown(epoch, head), isVoid: true };
}

/**
 * Takes entries in. `slice` must hold what `wanted` named; it is changed, and what is dirty in it must be written back
 * together with the state.
 */
export function absorbed(
  before: ConversationState,
  slice: Slice,
  batch: Batch,
  me: AccountId,
): { state: ConversationState; outcome: Outcome } {
  const outcome: Outcome = { reset: false, droppedBelow: 0, added: new Set(), stale: false };
  let state = before;
  if (state.epoch !== batch.epoch) {
    state = unknown(batch.epoch, batch.head);
    clear(slice);
    outcome.reset = true;
  }
  if (batch.head < state.erased || !ranges.covers(state.known, batch.head + 1, state.synced)) {
    outcome.stale = true;
    return { state, outcome };
  }
  const reach = Math.max(state.synced, ranges.last(state.known) ?? 0);
  if (state.known.length > 0 && batch.from <= batch.to && batch.from > reach + 1 + WIDEST_GAP) {
    state = { ...state, known: [] };
    clear(slice);
    outcome.droppedBelow = batch.from;
  }
  const fresh = insert(state, slice, batch.entries, outcome, me);
  apply(slice, fresh, me);
  eraseTexts(slice);
  return { state: extended(state, batch, fresh, outcome), outcome };
}

function clear(slice: Slice): void {
  slice.entries.clear();
  slice.dirty.clear();
}

function put(slice: Slice, seq: number, entry: CachedEntry): void {
  slice.entries.set(seq, entry);
  slice.dirty.add(seq);
}

/** Changes one entry, if it is there. */
function change(slice: Slice, seq: number, by: (entry: CachedEntry) => CachedEntry): void {
  const entry = slice.entries.get(seq);
  if (entry) put(slice, seq, by(entry));
}

/** The acts in the slice that point at `target`, ascending. */
function actsOn(slice: Slice, target: number): Entry[] {
  const entries = [...slice.entries.values()].map((one) => one.entry);
  return entries.filter((entry) => isAct(entry) && entry.target === target).sort((a, b) => a.seq - b.seq);
}

/** Puts the batch's entries into the slice; gives back those that were not known. */
function insert(
  state: ConversationState,
  slice: Slice,
  entries: readonly Entry[],
  outcome: Outcome,
  me: AccountId,
): Entry[] {
  const fresh: Entry[] = [];
  for (const entry of entries) {
    const { seq } = entry;
    const known = slice.entries.get(seq);
    let recount = true;
    if (known && ranges.contains(state.known, seq)) {
      const both = merged(known, cached(entry));
      put(slice, seq, both.entry);
      recount = both.recount;
    } else {
      put(slice, seq, cached(entry));
      outcome.added.add(seq);
      fresh.push(entry);
    }
    // Acts known before must be applied again to what comes only now; acts of this batch follow later.
    if (entry.kind !== 'message') continue;
    for (const act of actsOn(slice, seq).filter((one) => ranges.contains(state.known, one.seq))) {
      change(slice, seq, (one) => (recount ? counted(changed(one, act), act, me) : changed(one, act)));
    }
  }
  return fresh;
}

/** Applies the acts that became known to what they point at. */
function apply(slice: Slice, fresh: readonly Entry[], me: AccountId): void {
  for (const act of fresh) {
    if (isAct(act) && act.target !== undefined) {
      change(slice, act.target, (one) => counted(changed(one, act), act, me));
    }
  }
}

/** Leaves no text behind of what was deleted, in edits neither; a deletion may be known where its message is not. */
function eraseTexts(slice: Slice): void {
  const deletions = new Set<number>();
  for (const { entry } of slice.entries.values()) {
    if (entry.kind === 'delete' && entry.target !== undefined) deletions.add(entry.target);
  }
  const isGone = (one: CachedEntry): boolean => {
    const { kind, target } = one.entry;
    if (kind === 'message') return one.deleted > 0;
    if (kind !== 'edit' || target === undefined) return false;
    const message = slice.entries.get(target);
    return (message !== undefined && isDeleted(message)) || deletions.has(target);
  };
  const gone = [...slice.entries.values()].filter((one) => one.entry.body !== undefined && isGone(one));
  for (const { entry } of gone) change(slice, entry.seq, erased);
}

/** Widens what is known and moves `synced` as far as it goes without a hole. */
function extended(
  before: ConversationState,
  batch: Batch,
  fresh: readonly Entry[],
  outcome: Outcome,
): ConversationState {
  // Which messages an erased author reacted to is not known for sure, and what came as an event stands as it was sent:
  // everything older is void, whenever the erasure becomes known.
  const erasure = Math.max(
    0,
    ...fresh.filter((entry) => entry.kind === 'author_erased').map((entry) => entry.seq),
  );
  const isFirst = before.known.length === 0 && batch.from <= batch.to;
  // The first batch stands as of its head; nothing else is cached that could be behind.
  let synced = isFirst ? batch.head : before.synced;
  let known = ranges.insert(before.known, batch.from, batch.to);
  const first = Math.max(erasure, ranges.startOfNewest(known, MOST_RANGES) ?? 0);
  if (first > 0) {
    known = ranges.keepFrom(known, first);
    outcome.droppedBelow = Math.max(outcome.droppedBelow, first);
    synced = Math.max(synced, first - 1);
  }
  synced = ranges.around(known, synced + 1)?.[1] ?? synced;
  const head = Math.max(before.head, batch.head);
  return { epoch: before.epoch, head, synced, known, erased: Math.max(before.erased, erasure) };
}
