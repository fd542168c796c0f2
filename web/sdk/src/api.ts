/** What an app can do: the contract of the SDK. `client.ts` implements it over whatever owns the connection. */

import type {
  ConversationDetails,
  ConversationPresence,
  ConversationSummary,
  ConnectionState,
  Live,
  Message,
  Mute,
  TimelineView,
} from './model.js';
import type {
  AccountChange,
  AccountId,
  ClientId,
  Contact,
  ConversationId,
  Device,
  DeviceId,
  ErrorBody,
  Limits,
  LoggedIn,
  Mention,
  OwnAccount,
  Presence,
  Profile,
  Reacted,
  Role,
  SettingsBody,
} from './wire.js';

/** How this device proves who it is. */
export type Credential =
  /** A browser's HttpOnly cookie, set by the server at log-in; only on pages of the server itself. */
  | { kind: 'cookie' }
  /** A device token from sign-up or log-in, kept by the app. */
  | { kind: 'token'; token: string }
  /** An app's own users: the callback returns a JWT of the app's backend, which is exchanged at the first start and
   * whenever the device token is not valid any more. `user` names the user, such as the token's `sub`: on a page whose users
   * change, what is cached of one and its login are then out of reach of the next, and dropped when the next one is in. */
  | { kind: 'app'; jwt: () => Promise<string>; user?: string };

/** How a client is opened. */
export interface OpenOptions {
  /** The server's address, such as `https://chat.example`; the page's own where absent. */
  server?: string;
  credential: Credential;
  /** Names the installation in the account's list of devices, where a log-in is made (`app`). */
  device?: { name: string; platform: string };
  /** Where the cache is kept. Default: IndexedDB where there is one, else memory. One cache holds one account. */
  storage?: 'indexeddb' | 'memory';
  /**
   * How tabs share one connection. Default: the first of these that works here. `worker` needs `workerUrl`; `lock` elects
   * one tab with Web Locks and reaches it by BroadcastChannel; `none` is for Node and single pages.
   */
  share?: 'worker' | 'lock' | 'none';
  /** The address of the built `worker.js`, from the page's own origin. */
  workerUrl?: string | URL;
}

/** Why a call failed. `code` is a code of the server's error table, or one of the SDK's own. */
export interface SudaError extends Error {
  readonly code:
    | 'offline'
    | 'unreachable'
    | 'bad_answer'
    | 'timed_out'
    | 'outbox_full'
    | 'no_such_send'
    | 'cache'
    | 'stopped'
    | (string & {});
  /** What the server said, where it did. */
  readonly error?: ErrorBody;
  /** Present where the same call may succeed later. */
  readonly retryAfterMs?: number;
}

/** Something changed. Events are hints: whoever misses some reads again and has missed nothing. */
export type SudaEvent =
  | { type: 'connection'; state: ConnectionState }
  /** Rows of the list changed, appeared or moved. */
  | { type: 'conversations'; conversations: ConversationId[] }
  /** Messages newer than everything before, for notifications and live views; own ones from other devices too. */
  | { type: 'messages_added'; conversation: ConversationId; messages: Message[] }
  /** Messages changed: edit, deletion, reaction, sending state, history filled in. */
  | { type: 'messages_changed'; conversation: ConversationId }
  | { type: 'conversation_reset'; conversation: ConversationId }
  | { type: 'marks'; conversation: ConversationId }
  | { type: 'presence'; accounts: AccountId[] }
  | { type: 'online'; conversation: ConversationId }
  | { type: 'typing'; conversation: ConversationId; account: AccountId; typing: boolean }
  | { type: 'send_failed'; conversation: ConversationId; clientId: ClientId; error: ErrorBody }
  | { type: 'own_state'; key: string }
  | { type: 'contacts' }
  | { type: 'devices' }
  | { type: 'profiles' }
  /** This subscriber was too slow and missed events: read everything shown again. */
  | { type: 'lagged' };

/** A logged-in account on this device: cache, outbox and connection. All tabs of a browser share one. */
export interface Client {
  /** The own account, at once from the cache. */
  readonly me: Live<OwnAccount>;
  readonly connection: Live<ConnectionState>;
  /** The list as far as it is loaded, pins first, then where something was said last; archived ones included. */
  readonly conversations: Live<readonly ConversationSummary[]>;
  /** Sums over conversations that are neither muted nor archived; for a badge. */
  readonly unread: Live<{ unread: number; mentions: number }>;
  readonly contacts: Live<readonly Contact[]>;
  readonly limits: Live<Limits>;

  /** Events from now on, as an async iterator that holds at most 1,024. */
  events(): AsyncIterableIterator<SudaEvent>;
  /** Calls back for each event of a type; returns how to stop. */
  on<T extends SudaEvent['type']>(
    type: T,
    listener: (event: Extract<SudaEvent, { type: T }>) => void,
  ): () => void;

  /** Loads the next rows of the list; false at its end. */
  loadMoreConversations(): Promise<boolean>;
  /** Waits until the list is loaded to its end, in the background; for search. */
  loadAllConversations(): Promise<void>;
  /** A handle; cheap, asks nothing. */
  conversation(conversation: ConversationId): Conversation;
  /** The direct conversation with somebody, made where there is none. */
  openDirect(account: AccountId): Promise<ConversationId>;
  createGroup(settings: SettingsBody, members: AccountId[]): Promise<ConversationId>;

  /** A profile; `undefined` until known. Asks the server once, in batches. */
  profile(account: AccountId): Live<Profile | undefined>;
  searchAccounts(prefix: string): Promise<Profile[]>;
  requestContact(account: AccountId): Promise<void>;
  removeContact(account: AccountId): Promise<void>;
  block(account: AccountId): Promise<void>;
  unblock(account: AccountId): Promise<void>;

  /** Somebody's presence; watched as long as somebody subscribes, up to 200 accounts, newest subscriptions first. */
  presence(account: AccountId): Live<Presence>;
  /** Whether somebody looks at this page; the SDK follows the page's visibility by itself where there is a document. */
  setForeground(foreground: boolean): void;

  changeAccount(change: AccountChange): Promise<OwnAccount>;
  changePassword(oldPassword: string, newPassword: string): Promise<void>;
  newRecoveryCodes(password: string): Promise<string[]>;
  devices(): Promise<Device[]>;
  removeDevice(device: DeviceId): Promise<void>;
  /** Values of the app's own, shared by the account's devices. */
  appValue(name: string): Live<unknown>;
  setAppValue(name: string, value: unknown): Promise<void>;

  /**
   * Logs this device out and forgets what is cached. Resolves with whether the server knows of it: where it could not be
   * reached the login is still valid there, and whoever uses the cookie calls `endLogin` until that says so.
   */
  logOut(): Promise<boolean>;
  deleteAccount(password: string): Promise<void>;
  /** Lets go of the connection in this page; the device stays logged in. */
  close(): void;
}

/** A conversation, as one page sees it. */
export interface Conversation {
  readonly id: ConversationId;
  readonly summary: Live<ConversationSummary | undefined>;
  /** Members and settings; `undefined` until known. Kept up to date while somebody subscribes. */
  readonly details: Live<ConversationDetails | undefined>;
  readonly presence: Live<ConversationPresence>;
  /**
   * Opens it on screen: marks, typing and presence are told until the timeline is closed. Starts at the newest, or around
   * a sequence; at once from the cache.
   */
  timeline(options?: { around?: number; pageSize?: number }): Timeline;

  /**
   * Stores a message in the outbox and shows it; resolves with its client id as soon as it is stored on this device.
   * Fails with `text_too_long` or `frame_too_large` beyond `limits`, with `bad_request` where it is no JSON, and with
   * `outbox_full`.
   */
  send(text: string, options?: { replyTo?: number; mentions?: Mention[]; data?: unknown }): Promise<ClientId>;
  sendCustom(data: unknown): Promise<ClientId>;
  edit(seq: number, text: string, mentions?: Mention[]): Promise<ClientId>;
  delete(seq: number): Promise<ClientId>;
  /** Without an emoji the own reaction is taken back. */
  react(seq: number, emoji?: string): Promise<ClientId>;
  /** Who reacted with what. */
  reactions(seq: number): Promise<Reacted[]>;
  /** Tries a failed send again, or gives it up. */
  retry(clientId: ClientId): Promise<void>;
  discard(clientId: ClientId): Promise<void>;
  /** One message as it stands, from the cache or the server; for quotes. */
  message(seq: number): Promise<Message | undefined>;

  /** Everything up to here was seen. */
  markRead(seq: number): Promise<void>;
  /** Tell at every keystroke; the SDK thins it out. */
  typing(typing: boolean): void;
  setDraft(text: string | null): Promise<void>;
  setMute(mute: Mute | null): Promise<void>;
  setArchived(archived: boolean): Promise<void>;
  setPin(pin: number | null): Promise<void>;

  changeGroup(settings: SettingsBody): Promise<void>;
  addMembers(accounts: AccountId[]): Promise<void>;
  removeMember(account: AccountId): Promise<void>;
  changeRole(account: AccountId, role: Role): Promise<void>;
  leave(): Promise<void>;
  dissolve(): Promise<void>;
}

/** A window on a conversation's messages that follows changes and grows at both ends. */
export interface Timeline extends Live<TimelineView> {
  /** Loads a page before the first; false where there is none. What lies far behind the other end is let go. */
  loadEarlier(): Promise<boolean>;
  loadLater(): Promise<boolean>;
  /** Shows the messages around a sequence instead. */
  jumpTo(seq: number): Promise<void>;
  jumpToNewest(): Promise<void>;
  /**
   * Tells the sequence of a message that somebody reads, or with nothing that they follow the newest: where everything
   * has to be read again, the messages around it are shown. Cheap enough for every turn of the wheel.
   */
  keep(seq?: number): void;
  /** Ends the subscription; the conversation counts as closed once no page shows it. */
  close(): void;
}

/** Sign-up and log-in, before there is a client. With `cookie` the token stays out of reach of scripts. */
export interface LogInOptions {
  server?: string;
  cookie?: boolean;
  device?: { name: string; platform: string };
}

/** What the functions `open`, `signUp`, `logIn` and `recover` of the package do. */
export interface Entrance {
  open(options: OpenOptions): Promise<Client>;
  signUp(
    account: { name: string; password: string; displayName?: string; invite?: string },
    options?: LogInOptions,
  ): Promise<LoggedIn>;
  logIn(account: { name: string; password: string }, options?: LogInOptions): Promise<LoggedIn>;
  recover(
    account: { name: string; recoveryCode: string; newPassword: string },
    options?: LogInOptions,
  ): Promise<LoggedIn>;
}
