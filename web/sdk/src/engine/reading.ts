/** Reading messages: from the cache, after fetching what it lacks where a connection allows. */

import { unknown } from '../core/conversation.js';
import { stretchAt, surroundings, uncached, type Anchor, type Surroundings } from '../core/stretch.js';
import { Failure } from '../errors.js';
import type { CachedEntry } from '../core/standing.js';
import type { ConversationId } from '../wire.js';
import type { Reading } from './delta.js';
import type { Engine } from './engine.js';

/** How many messages a call gives back at most. */
const MOST_MESSAGES = 500;

/** How many pages one call fetches at most: pages of reactions and edits show nothing. */
const MOST_FETCHES = 8;

/** What the cache has to offer, and what it lacks. */
type Offer = Reading & Pick<Surroundings, 'lacks'>;

/**
 * Up to `limit` messages at `anchor`, ascending; without a connection those that the cache has. Not a step: may wait
 * for the server. Fails with the server's code where the account may not read them and nothing is cached.
 */
export async function read(
  engine: Engine,
  conversation: ConversationId,
  anchor: Anchor,
  limit: number,
): Promise<Reading> {
  const count = Math.min(Math.max(1, limit), MOST_MESSAGES);
  const look = (): Promise<Offer> => engine.call(() => offer(engine, conversation, anchor, count));
  let offered = await look();
  for (let fetches = 0; offered.lacks && fetches < MOST_FETCHES; fetches += 1) {
    const { lacks } = offered;
    try {
      await engine.history.look(conversation, lacks);
    } catch (failure) {
      if (offered.messages.length > 0 || isPassing(failure)) break;
      throw failure;
    }
    offered = await look();
    if (JSON.stringify(offered.lacks) === JSON.stringify(lacks)) break;
  }
  const { lacks: _lacks, ...reading } = offered;
  return reading;
}

/** Reads the cache, after everything that is in it was told. A step. */
async function offer(
  engine: Engine,
  conversation: ConversationId,
  anchor: Anchor,
  limit: number,
): Promise<Offer> {
  engine.outlet.flush();
  const { moment } = engine.outlet;
  return { ...(await found(engine, conversation, anchor, limit)), moment };
}

async function found(
  engine: Engine,
  conversation: ConversationId,
  anchor: Anchor,
  limit: number,
): Promise<Omit<Offer, 'moment'>> {
  const held = engine.held.get(conversation);
  const state = held?.state ?? unknown(0, 0);
  const floor = Math.max(1, held?.row?.floor ?? 1);
  const unsent = engine.outlet.unsentOf(conversation);
  const stretch = stretchAt(state, anchor, limit);
  if (!stretch) {
    return { messages: [], unsent, from: 1, to: 0, ...uncached(state, floor, anchor) };
  }
  const { store } = engine;
  const { from, to, start, before, after } = stretch;
  const earlier = before > 0 ? await store.shown(conversation, from, start, before, true) : [];
  const later = await store.shown(conversation, start + 1, to, after + 1, false);
  const isShort = { before: earlier.length < before, after: later.length <= after };
  const entries = [...earlier, ...later.slice(0, after)];
  const covered = coveredBy(entries, stretch, isShort);
  return {
    messages: engine.outlet.shown(conversation, entries),
    unsent,
    ...covered,
    ...surroundings(state, floor, stretch, isShort),
  };
}

/** The stretch that was read: where fewer than asked for were found, it goes to the end of what is cached. */
function coveredBy(
  entries: readonly CachedEntry[],
  stretch: { from: number; to: number; start: number; before: number; after: number },
  isShort: { before: boolean; after: boolean },
): { from: number; to: number } {
  const [first, last] = [entries[0]?.entry.seq, entries.at(-1)?.entry.seq];
  const { from, to, start, before } = stretch;
  const begin = before > 0 ? (isShort.before ? from : (first ?? from)) : start + 1;
  return { from: begin, to: isShort.after ? to : (last ?? start) };
}

function isPassing(failure: unknown): boolean {
  if (!(failure instanceof Failure)) return false;
  return ['offline', 'timed_out'].includes(failure.code) || failure.retryAfterMs !== undefined;
}
