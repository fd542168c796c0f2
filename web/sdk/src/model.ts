/** What an app sees: flat values that never change in place; a changed item is a new object, so `===` tells changes. */

import type {
  AccountId,
  ClientId,
  ConversationId,
  ConversationKind,
  ErrorBody,
  Mention,
  Presence,
  ReactionCount,
  Role,
} from './wire.js';

/**
 * A value that lives: read it, subscribe to it, or iterate over its changes. Fits Svelte's store contract: `subscribe`
 * calls the listener at once with the present value, then after every change, and returns how to stop.
 */
export interface Live<T> extends AsyncIterable<T> {
  /** The present value. */
  readonly value: T;
  /** Tells the value now and after every change, until the returned function is called. */
  subscribe(listener: (value: T) => void): () => void;
}

/** How the client stands with the server. */
export type ConnectionState =
  /** Not connected and not trying, or never connected yet; what is cached can be read. */
  | { state: 'offline' }
  | { state: 'connecting' }
  /** `polling` is true where WebSockets do not get through. */
  | { state: 'online'; polling: boolean }
  /** Waiting until `retryAt` (milliseconds since 1970, this device's clock) before the next try. */
  | { state: 'waiting'; retryAt: number }
  /** The token is not valid any more: log in again. The outbox is kept for the same account. */
  | { state: 'logged_out' }
  /**
   * Trying again cannot help, and why: the name of a close code or error code, `replaced` where another tab or a newer
   * version took over, `another_account` where somebody else has logged in here, `cache` where the browser could not
   * store, `internal` after a mistake of the SDK, which the console tells of.
   */
  | { state: 'stopped'; reason: string };

/** How a conversation is muted. */
export interface Mute {
  /** Until when, milliseconds since 1970; `null` is for ever. */
  until: number | null;
  /** Whether mentions still notify. */
  except_mentions: boolean;
}

/** One line in the list of conversations. */
export interface ConversationSummary {
  conversation: ConversationId;
  /** `direct` or `group`; the account's own conversation is never listed. */
  kind: ConversationKind;
  /** The group's title, or the other's display name; empty where neither is known yet. */
  title: string;
  /** The other account of a direct conversation. */
  peer?: AccountId;
  /** How many members it has. */
  members: number;
  /** The account's role; absent once it is no member any more. */
  role?: Role;
  /** When it was touched last, milliseconds since 1970. */
  at: number;
  head: number;
  /** How far the account has read. */
  read: number;
  /** How many messages it has not read. */
  unread: number;
  /** How many of them mention it, at most 100. */
  mentions: number;
  /** The newest message or unsent message; its text may be cut to 160 characters. */
  last?: Message;
  /** Absent where it is not muted now. */
  mute?: Mute;
  archived: boolean;
  /** Where it is pinned; pins stand above the rest in ascending order. */
  pin?: number;
  /** An unsent text, shared by the account's devices. */
  draft?: string;
  /** How many sends wait or failed. */
  unsent: number;
  /** A hue for the avatar, 0 to 359 degrees. */
  colour: number;
}

/** How far a message has come. */
export type MessageState = { state: 'pending' } | { state: 'sent' } | { state: 'failed'; error: ErrorBody };

/** What a message says, or what happened. */
export type MessageContent =
  | { type: 'text'; text: string; mentions: Mention[]; data?: unknown }
  | { type: 'custom'; data: unknown }
  | { type: 'deleted' }
  | { type: 'created'; members: AccountId[]; title?: string }
  | { type: 'members_added'; accounts: AccountId[] }
  | { type: 'members_removed'; accounts: AccountId[] }
  | { type: 'member_left' }
  | { type: 'role_changed'; account: AccountId; role: Role }
  | { type: 'settings_changed'; title?: string }
  | { type: 'dissolved' }
  /** This needs a newer version of the app. */
  | { type: 'unsupported' };

/** One item of a conversation as it stands. */
export interface Message {
  conversation: ConversationId;
  /** Its number; absent while it is not stored. */
  seq?: number;
  /** The id that its author's client gave to it; the stable key of a list of messages. */
  clientId: ClientId;
  author: AccountId;
  /** Milliseconds since 1970: the server's time, or this device's while it is not stored. */
  at: number;
  content: MessageContent;
  /** The number of the message that it answers. */
  replyTo?: number;
  edited: boolean;
  /** Most frequent first. */
  reactions: ReactionCount[];
  state: MessageState;
  /** Whether an own edit, deletion or reaction of it is shown already but not stored yet. */
  changing: boolean;
}

/** A member with its marks; marks of members who hide them are 0. */
export interface MemberState {
  account: AccountId;
  role: Role;
  delivered: number;
  read: number;
}

/** Who is there in a conversation, as far as the server has said on this connection. */
export interface ConversationPresence {
  /** The other one, in a direct conversation. */
  peer?: Presence;
  /** How many others are online; absent where that is not known. */
  online?: number;
  /** Others who type, whoever began first in front. */
  typing: AccountId[];
}

/** A conversation's details beyond its row. */
export interface ConversationDetails {
  members: MemberState[];
  history: 'from_join' | 'all';
  /** How long a message can be edited, in seconds. */
  editSeconds: number;
  dissolved: boolean;
}

/** What a timeline shows: a stretch of the conversation without holes. */
export interface TimelineView {
  /** Ascending; unsent ones last, where the newest are shown. */
  messages: readonly Message[];
  /** Whether earlier messages exist, here or on the server. */
  hasEarlier: boolean;
  /** Whether later messages exist, here or on the server; unsent ones are shown only where this is false. */
  hasLater: boolean;
  /** Whether a page is under way. */
  loading: boolean;
}
