/**
 * Who types: others, until they stop or are not heard of, and the account itself, told to others now and then. Pure;
 * the clock comes from outside, in milliseconds.
 */

import type { AccountId, ConversationId } from '../wire.js';

/** Whoever is not heard of for so long has stopped. */
export const TYPING_FOR_MS = 6_000;

/** Servers pass on at most so often that the account types, counted from whatever was told last. */
const TELL_EVERY_MS = 1_000;

/** How many may type at a time; more are not shown. */
const MOST_TYPISTS = 256;

/** In how many conversations the account's own typing is told at a time. */
const MOST_PLACES = 64;

/** Somebody who types somewhere. */
export interface Typist {
  conversation: ConversationId;
  account: AccountId;
  until: number;
}

/** Others who type. */
export class Typists {
  private typists: Typist[] = [];

  /** Somebody types or stopped; true where that is news. */
  note(conversation: ConversationId, account: AccountId, typing: boolean, now: number): boolean {
    const found = this.typists.find((one) => one.conversation === conversation && one.account === account);
    if (found && typing) found.until = now + TYPING_FOR_MS;
    else if (found) this.typists = this.typists.filter((one) => one !== found);
    else if (typing && this.typists.length < MOST_TYPISTS) {
      this.typists.push({ conversation, account, until: now + TYPING_FOR_MS });
    } else return false;
    return !found || !typing;
  }

  /** Who types in a conversation, whoever began first in front. */
  of(conversation: ConversationId): AccountId[] {
    return this.typists.filter((one) => one.conversation === conversation).map((one) => one.account);
  }

  /** Forgets those who were not heard of for a while; tells of whom. */
  expire(now: number): Typist[] {
    return this.forget((one) => one.until <= now);
  }

  /** Forgets everybody in a conversation, or everywhere; tells of whom. */
  leave(conversation?: ConversationId): Typist[] {
    return this.forget((one) => conversation === undefined || one.conversation === conversation);
  }

  /** When the next is to be forgotten. */
  nextExpiry(): number | undefined {
    return this.typists.length > 0 ? Math.min(...this.typists.map((one) => one.until)) : undefined;
  }

  private forget(isGone: (one: Typist) => boolean): Typist[] {
    const gone = this.typists.filter(isGone);
    this.typists = this.typists.filter((one) => !isGone(one));
    return gone;
  }
}

/** What the others were told of the account's own typing: when, and whether it goes on. */
export class OwnTyping {
  private readonly told = new Map<ConversationId, { at: number; isTyping: boolean }>();

  /** The account types or stopped; true where the others are to be told. */
  isToTell(conversation: ConversationId, typing: boolean, now: number): boolean {
    for (const [where, { at }] of this.told) {
      if (now - at >= TYPING_FOR_MS) this.told.delete(where);
    }
    const before = this.told.get(conversation);
    if (!typing) {
      const wasTyping = before?.isTyping ?? false;
      if (before && wasTyping) this.told.set(conversation, { at: now, isTyping: false });
      return wasTyping;
    }
    const isTooSoon = before !== undefined && now - before.at < TELL_EVERY_MS;
    if (isTooSoon || (!before && this.told.size >= MOST_PLACES)) return false;
    this.told.set(conversation, { at: now, isTyping: true });
    return true;
  }

  /** A message ends typing without a word, which would only hold up what is told of the next one. */
  sent(conversation: ConversationId): void {
    const before = this.told.get(conversation);
    if (before) before.isTyping = false;
  }

  /** The line is gone, and with it what was told. */
  lose(): void {
    this.told.clear();
  }
}
