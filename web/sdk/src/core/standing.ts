/**
 * How one cached entry stands: edits, deletions and reactions applied, in whatever order they become known. Pure.
 *
 * Edits and deletions commute because the highest number wins. Reactions commute because each is a difference that is
 * counted exactly once: those up to `reacted` by the page that brought the message, later ones when their entry becomes
 * known.
 */

import type { AccountId, Entry, ReactionCount } from '../wire.js';

/** One entry of the cache; never changed in place. */
export interface CachedEntry {
  /** The entry with the body of its last known edit; never with a `standing`. */
  readonly entry: Entry;
  /** The number of that edit, 0 where there is none. */
  readonly edited: number;
  /** The number of the entry that deleted it, 0 where there is none. */
  readonly deleted: number;
  /** Reactions up to this number came counted. */
  readonly reacted: number;
  /** Reactions, ordered by emoji. */
  readonly reactions: readonly Tally[];
}

/** The sum of differences for one emoji; negative only as long as an earlier entry is missing. */
export interface Tally {
  readonly emoji: string;
  /** Of all accounts. */
  readonly count: number;
  /** Of this account. */
  readonly mine: number;
}

/** Whether an entry changes another. */
export function isAct(entry: Entry): boolean {
  return entry.kind === 'edit' || entry.kind === 'delete' || entry.kind === 'reaction';
}

/** Takes an entry from an event (as it was sent) or a page (as it stands). */
export function cached(entry: Entry): CachedEntry {
  const { standing, ...plain } = entry;
  const edited = standing?.edited ?? 0;
  // Mentions belong to the first version; those of the edit come with its own entry.
  if (edited > 0) delete plain.mentions;
  const reactions = (standing?.reactions ?? []).map(({ emoji, count, mine }) => ({
    emoji,
    count,
    mine: mine ? 1 : 0,
  }));
  return {
    entry: plain,
    edited,
    deleted: standing?.deleted ?? 0,
    reacted: standing?.reacted ?? 0,
    reactions: inOrder(reactions),
  };
}

/** Whether it is a message whose text is gone. */
export function isDeleted(entry: CachedEntry): boolean {
  return entry.deleted > 0 || (entry.entry.kind === 'message' && entry.entry.body === undefined);
}

/** Without what it says. */
export function erased(entry: CachedEntry): CachedEntry {
  return { ...entry, entry: withBody(entry.entry, {}), reactions: [] };
}

/**
 * Takes over what a page knows better; `recount` says whether the page's reactions were taken, so that those known
 * since must be counted again.
 */
export function merged(entry: CachedEntry, page: CachedEntry): { entry: CachedEntry; recount: boolean } {
  let next = entry;
  if (page.edited > next.edited) {
    next = { ...next, edited: page.edited, entry: withBody(next.entry, page.entry) };
  }
  const recount = page.reacted > next.reacted;
  if (recount) next = { ...next, reacted: page.reacted, reactions: page.reactions };
  next = { ...next, deleted: Math.max(next.deleted, page.deleted) };
  if (next.deleted > 0 || page.entry.body === undefined) next = erased(next);
  return { entry: next, recount };
}

/** With an edit or a deletion applied that points at this entry. */
export function changed(entry: CachedEntry, act: Entry): CachedEntry {
  if (act.kind === 'delete') {
    return erased({ ...entry, deleted: Math.max(entry.deleted, act.seq) });
  }
  // The edit that a page applied already still brings its mentions. An edit without a body was erased itself: what
  // erased it follows or was applied.
  if (act.kind === 'edit' && act.seq >= entry.edited && act.body !== undefined && !isDeleted(entry)) {
    return { ...entry, edited: act.seq, entry: withBody(entry.entry, act) };
  }
  return entry;
}

/** With a reaction counted that points at this entry; the caller counts each entry once. */
export function counted(entry: CachedEntry, act: Entry, me: AccountId): CachedEntry {
  const body = reactionBody(act.body);
  if (act.kind !== 'reaction' || act.seq <= entry.reacted || isDeleted(entry) || !body) return entry;
  const mine = act.author === me ? 1 : 0;
  let reactions = entry.reactions;
  if (body.was !== undefined) reactions = step(reactions, body.was, -1, mine);
  if (body.emoji !== undefined) reactions = step(reactions, body.emoji, 1, mine);
  return { ...entry, reactions };
}

/** The account's own reaction. */
export function ownReaction(entry: CachedEntry): string | undefined {
  return entry.reactions.find((tally) => tally.mine > 0)?.emoji;
}

/** The reactions as they are shown, most frequent first. */
export function reactionCounts(entry: CachedEntry): ReactionCount[] {
  return entry.reactions
    .filter((tally) => tally.count > 0)
    .map(({ emoji, count, mine }) => ({ emoji, count, mine: mine > 0 }))
    .sort((one, other) => other.count - one.count);
}

/** What a reaction's body says; absent where it cannot be read. */
export function reactionBody(body: unknown): { emoji?: string; was?: string } | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const { emoji, was } = body as { emoji?: unknown; was?: unknown };
  return { ...(typeof emoji === 'string' && { emoji }), ...(typeof was === 'string' && { was }) };
}

function step(reactions: readonly Tally[], emoji: string, by: number, mine: number): readonly Tally[] {
  const before = reactions.find((tally) => tally.emoji === emoji);
  const after = { emoji, count: (before?.count ?? 0) + by, mine: (before?.mine ?? 0) + by * mine };
  const others = reactions.filter((tally) => tally.emoji !== emoji);
  return after.count === 0 && after.mine === 0 ? others : inOrder([...others, after]);
}

function inOrder(reactions: Tally[]): Tally[] {
  return reactions.sort((one, other) => (one.emoji < other.emoji ? -1 : 1));
}

/** The entry with another's body and mentions. */
function withBody(entry: Entry, other: Pick<Entry, 'body' | 'mentions'>): Entry {
  const { body: _body, mentions: _mentions, ...rest } = entry;
  return {
    ...rest,
    ...(other.body !== undefined && { body: other.body }),
    ...(other.mentions?.length && { mentions: other.mentions }),
  };
}
