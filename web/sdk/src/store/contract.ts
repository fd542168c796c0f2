/**
 * What the device keeps, and what a store of it must do.
 *
 * A store keeps what it is told and decides nothing: the engine is its only user. Every `write` is committed as a whole
 * or not at all, and in the order of the calls, so that after a crash the cache is as it was before or after one, never
 * between. Values come out as they went in; whoever gets one must not change it.
 */

import type { ConversationState, Wanted } from '../core/conversation.js';
import type { Item } from '../core/outbox.js';
import type { CachedEntry } from '../core/standing.js';
import type {
  ClientId,
  Contact,
  ConversationId,
  Detail,
  Limits,
  OwnAccount,
  OwnItem,
  Profile,
  Row,
} from '../wire.js';

/** The login that the cache belongs to. */
export interface Session {
  account: OwnAccount;
  /** Tells logins apart; nothing can be proven with it. */
  fingerprint: string;
  /** The device's token, where the SDK got it itself in exchange for an app's; apps keep others on their own. */
  token?: string;
}

/** How far the device has come. */
export interface Progress {
  /** The resume token: everything up to it was applied. */
  resume?: string;
  /** The polling cursor, where polling went on from the resume token. */
  cursor?: string;
  /** Where the list of conversations goes on on the server. */
  nextWindow?: string;
  /** The epoch of the account's own conversation. */
  ownEpoch: number;
  /** How far the account's own conversation was applied. */
  ownSeq: number;
}

/** One conversation as the cache holds it. */
export interface Held {
  readonly state: ConversationState;
  /** Its row in the list; absent until the server has told it. */
  readonly row?: Row;
  /** Read up to here on this device, not yet acknowledged. */
  readonly readWanted?: number;
}

/** A value that was set on this device and that the server has not acknowledged. */
export interface WantedValue {
  key: string;
  value: unknown;
  /** The act's name for ever. */
  clientId: ClientId;
  /** How far the account's own conversation was applied when it was set. */
  base: number;
}

/** Everything but entries and details, as read at the start. */
export interface Kept {
  session?: Session;
  progress: Progress;
  conversations: [ConversationId, Held][];
  /** The account's own state; a removed key stays as `null`, so that an older value cannot come back. */
  ownItems: OwnItem[];
  wantedValues: WantedValue[];
  profiles: Profile[];
  contacts: Contact[];
  limits?: Limits;
  /** In the order in which it was composed. */
  outbox: Placed[];
}

/** An unsent act with its place in the outbox; places ascend. */
export interface Placed {
  place: number;
  item: Item;
}

/** One change of the cache. */
export type Write =
  | { what: 'session'; session: Session }
  | { what: 'progress'; progress: Progress }
  | { what: 'conversation'; conversation: ConversationId; held: Held }
  | { what: 'detail'; conversation: ConversationId; detail: Detail }
  /** Entries, new or changed. */
  | { what: 'entries'; conversation: ConversationId; entries: readonly CachedEntry[] }
  /** All entries of a conversation below a number are void. */
  | { what: 'drop_below'; conversation: ConversationId; seq: number }
  | { what: 'own_items'; items: readonly OwnItem[] }
  | { what: 'clear_own_items' }
  /** In place of the one with the same key. */
  | { what: 'wanted_value'; value: WantedValue }
  | { what: 'forget_value'; key: string }
  | { what: 'profiles'; profiles: readonly Profile[] }
  /** All of them, in place of those before. */
  | { what: 'contacts'; contacts: readonly Contact[] }
  | { what: 'limits'; limits: Limits }
  /** In place of the one with the same client id. */
  | { what: 'outbox'; placed: Placed }
  | { what: 'outbox_remove'; clientId: ClientId }
  /** Everything is gone, the session too. */
  | { what: 'wipe' };

/** Where a device keeps what it knows. */
export interface Store {
  /** Everything but entries and details. */
  load(): Promise<Kept>;
  /** The cached entries that a batch touches. */
  slice(conversation: ConversationId, wanted: Wanted): Promise<CachedEntry[]>;
  /**
   * Up to `limit` entries that an app shows, from `from` to `to`, which the caller knows to be cached; ascending, the
   * last of them where `newest`, else the first.
   */
  shown(
    conversation: ConversationId,
    from: number,
    to: number,
    limit: number,
    newest: boolean,
  ): Promise<CachedEntry[]>;
  /** A conversation's members and settings. */
  detail(conversation: ConversationId): Promise<Detail | undefined>;
  /** Commits all of `writes` or none. */
  write(writes: readonly Write[]): Promise<void>;
  /** Lets go of it, after everything written is kept. */
  close(): Promise<void>;
}
