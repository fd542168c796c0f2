/**
 * Who is there, as far as the server has said on this line. Pure.
 *
 * Only what the server would tell changes of is kept: accounts that are watched, and members of open conversations.
 * Everything else could be old without anybody noticing, so it is forgotten, and nothing is known without a line.
 */

import type { AccountId, ConversationId, Opened, Presence } from '../wire.js';

/** How many accounts may be watched at a time. */
export const MOST_WATCHED = 200;

/** Who is in an open conversation. */
interface Crowd {
  /** The other members. */
  others: ReadonlySet<AccountId>;
  /** How many of them were online when the server was asked. */
  online: number | undefined;
  /** Whether the server told the state of each, and goes on to tell what changes. */
  isFollowed: boolean;
}

/** What is another than before. */
export interface Changed {
  /** Whose presence. */
  accounts: Set<AccountId>;
  /** In which conversations another number is online. */
  conversations: Set<ConversationId>;
}

/** Who is there, and of whom the server was asked. */
export class Attendance {
  /** Never `unknown`: such accounts are absent. */
  private readonly said = new Map<AccountId, Presence>();
  /** The accounts that the app has on screen. */
  private wanted = new Set<AccountId>();
  /** Those that the server was told. */
  private told = new Set<AccountId>();
  /** Whether the server has to be told in any case. */
  private isToTell = false;
  private readonly open = new Map<ConversationId, Crowd>();

  /** How somebody stands. */
  of(account: AccountId): Presence {
    return this.said.get(account) ?? { account, state: 'unknown' };
  }

  /** How many others are online in an open conversation; absent where that is not known. */
  online(conversation: ConversationId): number | undefined {
    const crowd = this.open.get(conversation);
    if (!crowd?.isFollowed) return crowd?.online;
    const known = [...crowd.others].map((other) => this.said.get(other)).filter((one) => one !== undefined);
    return known.length > 0 ? known.filter((one) => one.state === 'online').length : undefined;
  }

  /** The app has these on screen, in place of those before; beyond the limit the first ones count. */
  want(accounts: readonly AccountId[]): void {
    this.wanted = new Set([...new Set(accounts)].slice(0, MOST_WATCHED));
  }

  /** Whether the server does not know yet what is wanted. */
  hasToTell(): boolean {
    return !isSame(this.told, this.wanted) || (this.isToTell && this.wanted.size > 0);
  }

  /** The list to tell now; whoever is not on it any more is forgotten. */
  tell(): { accounts: AccountId[]; changed: Changed } {
    this.told = new Set(this.wanted);
    this.isToTell = false;
    return { accounts: [...this.wanted], changed: this.changing(() => this.forgetStrangers()) };
  }

  /** The server does not know the list, or will not tell what changes: it has to be told again. */
  tellAgain(): void {
    this.isToTell = true;
  }

  /** The server says how accounts stand. */
  hear(presences: readonly Presence[]): Changed {
    return this.changing(() => this.note(presences));
  }

  /** A conversation is open, and the server says who is there. */
  enter(conversation: ConversationId, me: AccountId, opened: Opened): Changed {
    const others = opened.members.map((member) => member.account).filter((account) => account !== me);
    const presences = opened.presences ?? [];
    const crowd = {
      others: new Set(others),
      online: opened.online ?? undefined,
      isFollowed: presences.length > 0,
    };
    return this.changing(() => {
      this.open.set(conversation, crowd);
      const changed = this.note(presences);
      this.forgetStrangers().forEach((account) => changed.add(account));
      return changed;
    });
  }

  /** A conversation is not open any more. */
  leave(conversation: ConversationId): Changed {
    return this.changing(() => {
      this.open.delete(conversation);
      return this.forgetStrangers();
    });
  }

  /** The line is gone: nothing is known, and everything has to be told again. */
  lose(): Changed {
    return this.changing(() => {
      this.open.clear();
      this.told.clear();
      this.isToTell = false;
      const gone = new Set(this.said.keys());
      this.said.clear();
      return gone;
    });
  }

  /** Whether the server tells only a number of an open conversation, when it is asked. */
  isCounted(conversation: ConversationId): boolean {
    const crowd = this.open.get(conversation);
    return crowd !== undefined && !crowd.isFollowed && crowd.online !== undefined && crowd.others.size > 0;
  }

  /** Whether the server has said who is in a conversation. */
  isOpen(conversation: ConversationId): boolean {
    return this.open.has(conversation);
  }

  /** Whether the server was asked about other members than these, so that it has to be asked again. */
  isOutdated(conversation: ConversationId, others: ReadonlySet<AccountId>): boolean {
    const crowd = this.open.get(conversation);
    return crowd !== undefined && !isSame(crowd.others, others);
  }

  /** Whether the server tells when this account's presence changes. */
  private isFollowed(account: AccountId): boolean {
    if (this.told.has(account)) return true;
    return [...this.open.values()].some((crowd) => crowd.isFollowed && crowd.others.has(account));
  }

  /** Takes over what is news; tells of whom. */
  private note(presences: readonly Presence[]): Set<AccountId> {
    const changed = new Set<AccountId>();
    for (const presence of presences) {
      const before = this.said.get(presence.account);
      const isNews = before?.state !== presence.state || before.last_active_at !== presence.last_active_at;
      // A server that cannot tell has not taken back what it said.
      const isKnown = ['online', 'away', 'offline', 'hidden'].includes(presence.state);
      if (isKnown && isNews && this.isFollowed(presence.account)) {
        this.said.set(presence.account, presence);
        changed.add(presence.account);
      }
    }
    return changed;
  }

  private forgetStrangers(): Set<AccountId> {
    const strangers = new Set([...this.said.keys()].filter((account) => !this.isFollowed(account)));
    strangers.forEach((account) => this.said.delete(account));
    return strangers;
  }

  private counts(): Map<ConversationId, number | undefined> {
    return new Map([...this.open.keys()].map((conversation) => [conversation, this.online(conversation)]));
  }

  /** Changes something, and finds out in which conversations that changed the number. */
  private changing(change: () => Set<AccountId>): Changed {
    const before = this.counts();
    const accounts = change();
    const after = this.counts();
    const both = new Set([...before.keys(), ...after.keys()]);
    const conversations = new Set([...both].filter((one) => before.get(one) !== after.get(one)));
    return { accounts, conversations };
  }
}

function isSame<T>(one: ReadonlySet<T>, other: ReadonlySet<T>): boolean {
  return one.size === other.size && [...one].every((item) => other.has(item));
}
