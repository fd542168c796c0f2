/** Which stretch of the cache a page of messages comes from, and what to fetch where it lacks something. Pure. */

import type { ConversationState } from './conversation.js';
import * as ranges from './ranges.js';
import type { HistoryRange } from '../wire.js';

/** How many entries are fetched at once for somebody who looks: enough for a few screens, little enough to be quick. */
export const LOOK = 100;

/** Where to read messages. */
export type Anchor =
  /** The newest. */
  | { at: 'newest' }
  /** Those before, after or around this sequence. */
  | { at: 'before' | 'after' | 'around'; seq: number };

/** A stretch of the cache without holes, and what is read of it. */
export interface Stretch {
  /** Its lowest sequence. */
  from: number;
  /** Its highest sequence. */
  to: number;
  /** Where reading downwards begins, itself included; reading upwards begins after it. */
  start: number;
  /** How many to read downwards. */
  before: number;
  /** How many to read upwards. */
  after: number;
}

/** What a page of messages has around it, and what to fetch to have more. */
export interface Surroundings {
  hasEarlier: boolean;
  hasLater: boolean;
  lacks?: HistoryRange;
}

/** Which stretch of the cache an anchor means; absent where it is not cached. */
export function stretchAt(state: ConversationState, anchor: Anchor, limit: number): Stretch | undefined {
  const place = placeOf(state, anchor, limit);
  const range = place && ranges.around(state.known, place.around);
  if (!place || !range) return undefined;
  const { around, before, after } = place;
  // Upwards reading begins at the anchor itself, downwards reading ends with it.
  return { from: range[0], to: range[1], start: before === 0 ? around - 1 : around, before, after };
}

function placeOf(
  { known }: ConversationState,
  anchor: Anchor,
  limit: number,
): { around: number; before: number; after: number } | undefined {
  switch (anchor.at) {
    case 'newest': {
      const newest = ranges.last(known);
      return newest === undefined ? undefined : { around: newest, before: limit, after: 0 };
    }
    case 'before':
      return { around: anchor.seq - 1, before: limit, after: 0 };
    case 'after':
      return { around: anchor.seq + 1, before: 0, after: limit };
    case 'around':
      return { around: anchor.seq, before: Math.ceil(limit / 2), after: Math.floor(limit / 2) };
  }
}

/** What lies around what was read of a stretch: whether fewer than asked for were found before and after. */
export function surroundings(
  state: ConversationState,
  floor: number,
  stretch: Stretch,
  isShort: { before: boolean; after: boolean },
): Surroundings {
  const { from, to, start, before, after } = stretch;
  // What lies beyond everything cached comes by itself as long as there is a connection.
  const isNewest = to === ranges.last(state.known);
  const [isAtFloor, isAtHead] = [from <= floor, to >= state.head || isNewest];
  const hasEarlier = !isAtFloor || !isShort.before || (before === 0 && start >= from);
  const hasLater = !isAtHead || !isShort.after;
  if (before > 0 && isShort.before && !isAtFloor) {
    return { hasEarlier, hasLater, lacks: reaching(state, from - 1) };
  }
  if (after > 0 && isShort.after && !isAtHead) {
    return { hasEarlier, hasLater, lacks: { between: { from: to + 1, to: to + LOOK } } };
  }
  return { hasEarlier, hasLater };
}

/** What lies around an anchor of which nothing is cached. */
export function uncached(state: ConversationState, floor: number, anchor: Anchor): Surroundings {
  const { head, known } = state;
  switch (anchor.at) {
    case 'newest':
      return { hasEarlier: head >= floor, hasLater: false, lacks: { newest: { limit: LOOK } } };
    case 'before': {
      const isThere = anchor.seq > floor;
      const lacks = reaching(state, anchor.seq - 1);
      return { hasEarlier: isThere, hasLater: true, ...(isThere && { lacks }) };
    }
    case 'after': {
      const isThere = anchor.seq < head;
      const lacks = { between: { from: anchor.seq + 1, to: anchor.seq + LOOK } };
      return { hasEarlier: true, hasLater: isThere, ...(isThere && { lacks }) };
    }
    case 'around': {
      const below = ranges.lastBelow(known, anchor.seq);
      const isNear = below !== undefined && anchor.seq - below <= LOOK;
      const lacks = isNear ? reaching(state, anchor.seq) : { around: { seq: anchor.seq, limit: LOOK } };
      return { hasEarlier: anchor.seq > floor, hasLater: anchor.seq < head, lacks };
    }
  }
}

/**
 * What to fetch to have what ends with `to`: a page is cut at its end where it is too long, so where something is known
 * a little below, that is continued.
 */
function reaching({ known }: ConversationState, to: number): HistoryRange {
  const below = ranges.lastBelow(known, to);
  if (below !== undefined && to - below <= LOOK) return { between: { from: below + 1, to } };
  return { before: { before: to + 1, limit: LOOK } };
}
