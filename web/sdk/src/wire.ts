/** The types of the wire, as docs/protocol.md describes it. Written by: npm run types */

/* eslint-disable max-lines -- one generated file */

/** `PATCH /v1/account`: what is absent stays. */
export interface AccountChange {
  /** A line about oneself, up to 160 characters. */
  about?: string;
  /** A hue, 0 to 359. */
  colour?: number;
  /** Opaque data of the app, up to 2 KiB; `null` is a value. */
  data?: unknown;
  /** The name to show. */
  display_name?: string;
  /** The language of the interface. */
  language?: string;
  /** Who may add the account to a group. */
  who_may_add?: Audience;
  /** Who may begin a direct conversation. */
  who_may_message?: Audience;
  /** Who may see when it is online or types, and how far it has read. Whoever chooses nobody sees none of that of
   * others either. */
  who_may_see?: Audience;
}

/** A user. UUIDv7, made by the server at sign-up. */
export type AccountId = string;

/** Answers `GET /v1/accounts`. */
export interface Accounts {
  /** Accounts whose name begins as asked, in order of their names, at most 20. */
  accounts: Array<Profile>;
}

/** Body of `MembersAdded` and `MemberRemoved`. */
export interface AccountsBody {
  /** Who. */
  accounts: Array<AccountId>;
}

/** `POST /v1/groups/{conversation}/members`. */
export interface AddMembers {
  /** Whom to add. */
  accounts: Array<AccountId>;
  /** The act's name for ever; made by the server where absent. */
  client_id?: ClientId;
}

/** `POST /v1/app/accounts`, with the application key. */
export interface AppAccount {
  /** The name to show. */
  display_name?: string;
  /** The account's id in the app's own backend; asking twice makes one account. */
  external_id: string;
  /** The unique name; derived where absent. */
  name?: string;
}

/** `POST /v1/app/groups`, with the application key. */
export interface AppGroup {
  /** The act's name for ever: asking twice makes one group. */
  client_id: ClientId;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** For how many seconds a message may be edited. */
  edit_seconds?: number;
  /** Which past new members see. */
  history?: HistorySetting;
  /** The other members. */
  members: Array<AccountId>;
  /** Who is to own it. */
  owner: AccountId;
  /** The group's title. */
  title?: string;
}

/** `POST /v1/login/app`: a token signed by the app's own backend; makes the account at first sight. */
export interface AppLogIn {
  /** The device that logs in. */
  device?: NewDevice;
  /** A JWT (RFC 7519), HS256 or EdDSA, with `kid`, `sub`, `aud`, `exp`, and optionally `name` and `display_name`. */
  jwt: string;
}

/** `POST /v1/app/messages`, with the application key: a message in somebody's name. */
export interface AppMessage {
  /** The client id of this device's preceding unacknowledged send in this conversation. */
  after?: ClientId;
  /** In whose name; must be a member. */
  author: AccountId;
  /** The highest sequence of this conversation that the device had received when the act was composed. A repeated
   * send keeps the base of the first. */
  base: number;
  /** `MessageBody` for `message` and `edit`, `ReactionBody` for `reaction`, absent
   * for `delete`. */
  body?: unknown;
  /** The act's name for ever. */
  client_id: ClientId;
  /** Where. */
  conversation: ConversationId;
  /** `message`, `edit`, `delete` or `reaction`. */
  kind: Kind;
  /** Mentions in the text. */
  mentions?: Array<Mention>;
  /** The message that is answered, edited, deleted or reacted to. */
  target?: number;
}

/** Who may do something to an account. */
export type Audience =
  /** Everybody who is not blocked. */
  | 'everyone'
  /** Only contacts. */
  | 'contacts'
  /** Nobody. */
  | 'nobody';

/** Made by the client for every act that must happen once (UUIDv7). Together with conversation and account it
 * names the act for ever: sent again, it yields the same entry. */
export type ClientId = string;

/** One contact. */
export interface Contact {
  /** A line about oneself. */
  about?: string;
  /** Who. */
  account: AccountId;
  /** A hue for the avatar, 0 to 359 degrees. */
  colour: number;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** True once the account is deleted. */
  deleted?: boolean;
  /** The name to show. */
  display_name: string;
  /** The unique name; empty once the account is deleted. */
  name: string;
  /** How we stand. */
  relation: Relation;
}

/** Answers `GET /v1/contacts`. */
export interface Contacts {
  /** Contacts, requests and blocks. */
  contacts: Array<Contact>;
}

/** A conversation: UUIDv7 for a group, derived for `direct` and `self`. */
export type ConversationId = string;

/** What a conversation is. */
export type ConversationKind =
  /** Of exactly two accounts. */
  | 'direct'
  /** Of up to the configured number of members. */
  | 'group'
  /** The account's own. */
  | 'self';

/** Names one conversation. */
export interface ConversationQuery {
  /** Which. */
  conversation: ConversationId;
}

/** Names a conversation. */
export interface ConversationRef {
  /** Which. */
  conversation: ConversationId;
}

/** Body of `Created`. */
export interface CreatedBody {
  /** What was created. */
  kind: ConversationKind;
  /** Its members; the author is the owner of a group. */
  members: Array<AccountId>;
  /** Its first settings. */
  settings: SettingsBody;
}

/** Answers `conversation`. */
export interface Detail {
  /** Opaque data of the app. */
  data?: unknown;
  /** Whether it is closed for good. */
  dissolved: boolean;
  /** For how many seconds a message may be edited. */
  edit_seconds: number;
  /** Which past new members see. */
  history: HistorySetting;
  /** Its members, in the order in which they joined. */
  members: Array<Member>;
  /** The conversation as in a list. */
  row: Row;
}

/** A device of the account. */
export interface Device {
  /** When it logged in, milliseconds since 1970. */
  created_at: number;
  /** Which. */
  device: DeviceId;
  /** When it was seen last. */
  last_active_at: number;
  /** Its name. */
  name: string;
  /** Its platform. */
  platform: string;
  /** Whether it is the one that asks. */
  this: boolean;
}

/** An installation that logged in; holds one token. UUIDv7, made by the server at login. */
export type DeviceId = string;

/** Answers `GET /v1/devices`. */
export interface Devices {
  /** The devices, oldest first. */
  devices: Array<Device>;
}

/** Answers what has nothing to say. */
export type Done = Record<string, never>;

/** New entries of one conversation, ascending and without gaps. */
export interface Entries {
  /** Where. */
  conversation: ConversationId;
  /** The entries. */
  entries: Array<Entry>;
  /** The log's epoch. */
  epoch: number;
}

/** One entry. The envelope is always readable; the body is absent where it was erased. */
export interface Entry {
  /** When it was committed: milliseconds since 1970, UTC; never smaller than the entry's before it. */
  at: number;
  /** Who did it. */
  author: AccountId;
  /** What it says; absent where it was erased. */
  body?: unknown;
  /** The id that the author's client gave to the act. */
  client_id: ClientId;
  /** What it does. */
  kind: Kind;
  /** Who is mentioned in the text, and where. */
  mentions?: Array<Mention>;
  /** How many countable entries stand here and before; unread counts are differences of it. */
  ordinal: number;
  /** Its number in the conversation, from 1. */
  seq: number;
  /** Only in pages: how the message stands now, where that differs from how it was sent. */
  standing?: Standing;
  /** The earlier entry that this one answers, changes or deletes. */
  target?: number;
}

/** Why a request failed. */
export interface ErrorBody {
  /** The code's name; a client treats a name it does not know by `retry_after_ms`: absent means permanent. */
  code: string;
  /** A sentence for people, in English. */
  message: string;
  /** Trying the same again may succeed after so many milliseconds; absent where it cannot. */
  retry_after_ms?: number;
}

/** Says whether somebody is looking. */
export interface Foreground {
  /** True while somebody is looking. */
  foreground: boolean;
}

/** A place to connect to. */
export interface Gateway {
  /** The WebSocket's address, such as `wss://chat.example/v1/ws`; empty means the address that was asked. */
  url: string;
  /** Its zone, for clients that know theirs. */
  zone?: string;
}

/** Answers `GET /v1/gateways`. */
export interface Gateways {
  /** Gateways, best first. */
  gateways: Array<Gateway>;
}

/** `PATCH /v1/groups/{conversation}`. */
export interface GroupChange {
  /** The act's name for ever; made by the server where absent. */
  client_id?: ClientId;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** For how many seconds a message may be edited. */
  edit_seconds?: number;
  /** Which past new members see. */
  history?: HistorySetting;
  /** The group's title. */
  title?: string;
}

/** Answers `GET /v1/health`. */
export interface Health {
  /** `ok`, or `draining`. */
  status: string;
  /** The server's version. */
  version: string;
}

/** Says who connects and from where to resume. */
export interface Hello {
  /** Optional features that the client knows; the reply names those that both know. */
  features?: Array<string>;
  /** Whether somebody is looking. */
  foreground?: boolean;
  /** The wire version: `PROTOCOL`. */
  protocol: number;
  /** The last resume token this device got; absent at its first start or after losing its cache. */
  resume?: string;
  /** The device's token; absent where the handshake brought a cookie. */
  token?: string;
  /** How many rows the reply's window should hold at most. */
  window?: number;
}

/** Which past a new member sees. */
export type HistorySetting =
  /** Only what comes after joining. */
  | 'from_join'
  /** Everything. */
  | 'all';

/** Asks for entries as they stand. */
export interface HistoryQuery {
  /** Of which conversation. */
  conversation: ConversationId;
  /** Which of them. */
  range: HistoryRange;
}

/** What an entry does. Clients show a kind they do not know as "needs a newer version". */
export type Kind =
  /** Somebody said something; `target` is the message it answers. The only kind that counts as unread. */
  | 'message'
  /** A new body for the message `target`. */
  | 'edit'
  /** The message `target` is gone for all. */
  | 'delete'
  /** The author's reaction to `target`; body `ReactionBody`. */
  | 'reaction'
  /** The conversation begins; body `CreatedBody`. */
  | 'created'
  /** Members were added; body `AccountsBody`. */
  | 'members_added'
  /** A member was removed by somebody else; body `AccountsBody`. */
  | 'member_removed'
  /** The author left, or its account was deleted. */
  | 'member_left'
  /** A member's role changed; body `RoleBody`. */
  | 'role_changed'
  /** Title, settings or data changed; body `SettingsBody`. */
  | 'settings_changed'
  /** The group is closed for good. */
  | 'dissolved'
  /** Every message of the author is erased, because its account was deleted. */
  | 'author_erased'
  /** A value of the account's own conversation; body `SetBody`. */
  | 'set'
  /** A kind that this version does not know. */
  | 'unknown';

/** Every limit is a setting of the server; beyond it a request is refused with a code. */
export interface Limits {
  /** How far back a send's `base` may lie before `stale_base`. */
  base_entries: number;
  /** Most conversations of an account. */
  conversations: number;
  /** Largest opaque `data`, in bytes of JSON. */
  data_bytes: number;
  /** Most devices of an account. */
  devices: number;
  /** Largest frame or request body, in bytes. */
  frame_bytes: number;
  /** Most members of a group. */
  members: number;
  /** Most mentions in a message. */
  mentions: number;
  /** Most entries of a page. */
  page_entries: number;
  /** Largest text of a message, in bytes of UTF-8. */
  text_bytes: number;
  /** Most rows of a window. */
  window_rows: number;
}

/** `POST /v1/login`. */
export interface LogIn {
  /** The device that logs in. */
  device?: NewDevice;
  /** The account's name. */
  name: string;
  /** Its password. */
  password: string;
}

/** Answers sign-up and every kind of login. */
export interface LoggedIn {
  /** The account. */
  account: OwnAccount;
  /** The new device. */
  device: DeviceId;
  /** At sign-up: codes that each replace the password once. Shown once. */
  recovery_codes?: Array<string>;
  /** The device's token; shown once, keep it secret. Absent where it went into a cookie. */
  token?: string;
}

/** Moves the account's watermarks; they never move back. */
export interface Mark {
  /** Where. */
  conversation: ConversationId;
  /** This device has stored everything up to here. */
  delivered?: number;
  /** Somebody has seen everything up to here. */
  read?: number;
}

/** Answers `mark`; a `read` mark is durable. */
export interface Marked {
  /** How many of them mention it, at most 100. */
  mentions: number;
  /** How far the account has read. */
  read: number;
  /** How many messages it has not read. */
  unread: number;
}

/** Watermarks of members. */
export interface Marks {
  /** Where. */
  conversation: ConversationId;
  /** The log's epoch. */
  epoch: number;
  /** Whose marks moved, and to where. */
  marks: Array<MemberMarks>;
}

/** A member with its watermarks. */
export interface Member {
  /** Who. */
  account: AccountId;
  /** Some device of it has stored everything up to here. */
  delivered: number;
  /** It has seen everything up to here. */
  read: number;
  /** What it may do. */
  role: Role;
}

/** One member's watermarks. */
export interface MemberMarks {
  /** Who. */
  account: AccountId;
  /** Some device of it has stored everything up to here. */
  delivered: number;
  /** It has seen everything up to here. */
  read: number;
}

/** A mention in a text. */
export interface Mention {
  /** How long it is, in Unicode scalar values. */
  length: number;
  /** Where it starts, in Unicode scalar values. */
  start: number;
  /** Who is meant. */
  who: Mentioned;
}

/** Whom a mention means. */
export type Mentioned =
  | {
      account: AccountId;
    }
  | 'all';

/** What a message says. Other types than these are stored as they came and shown as "needs a newer version", save
 * `media`, `encrypted` and `handshake`, which are refused until they are built. */
export type MessageBody =
  | {
      /** Opaque data of the app, up to 2 KiB. */
      data?: unknown;
      /** The text. */
      text: string;
      type: 'text';
    }
  | {
      /** The content. */
      data: unknown;
      type: 'custom';
    };

/** Names the installation that logs in. */
export interface NewDevice {
  /** For the account's list of devices, up to 64 characters. */
  name?: string;
  /** `web`, `ios`, `android`, `desktop`, `terminal` or any other word of up to 32 characters. */
  platform?: string;
}

/** `POST /v1/groups`. */
export interface NewGroup {
  /** The act's name for ever: asking twice makes one group. */
  client_id: ClientId;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** For how many seconds a message may be edited. */
  edit_seconds?: number;
  /** Which past new members see. */
  history?: HistorySetting;
  /** The other members. */
  members: Array<AccountId>;
  /** The group's title. */
  title?: string;
}

/** `POST /v1/direct`: the direct conversation with somebody; made where it does not exist yet. */
export interface OpenDirect {
  /** With whom. */
  account: AccountId;
}

/** Answers `open`: how far everybody is and who is there, now; changes follow as `marks` and `presence` events. */
export interface Opened {
  /** The log's epoch. */
  epoch: number;
  /** The highest sequence. */
  head: number;
  /** The members with their watermarks. */
  members: Array<Member>;
  /** How many members are online now, oneself not counted; absent for a conversation of kind `self`. */
  online?: number;
  /** The other members' states; empty in a group of more than 50, of which there is only the count. */
  presences?: Array<Presence>;
}

/** The account as its owner sees it. */
export interface OwnAccount {
  /** A line about oneself. */
  about?: string;
  /** Who. */
  account: AccountId;
  /** A hue for the avatar, 0 to 359 degrees. */
  colour: number;
  /** When the account was made, milliseconds since 1970. */
  created_at: number;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** True once the account is deleted. */
  deleted?: boolean;
  /** The name to show. */
  display_name: string;
  /** The language of the interface: a BCP 47 tag such as `en` or `ko`. */
  language: string;
  /** The unique name; empty once the account is deleted. */
  name: string;
  /** How many unused recovery codes are left. */
  recovery_codes_left: number;
  /** Who may add the account to a group. */
  who_may_add: Audience;
  /** Who may begin a direct conversation. */
  who_may_message: Audience;
  /** Who may see when it is online or types, and how far it has read. Whoever chooses nobody sees none of that of
   * others either. */
  who_may_see: Audience;
}

/** One value of the account's own conversation. */
export interface OwnItem {
  /** Its key. */
  key: string;
  /** The entry that set it; a `set` entry with a lower number is older. */
  seq: number;
  /** Its value. */
  value: unknown;
}

/** Answers `own_state`. */
export interface OwnState {
  /** The values, ordered by key. */
  items: Array<OwnItem>;
  /** Whether more follow; ask with `after` = the last key. */
  more: boolean;
}

/** Asks for the values of the account's own conversation, ordered by key. */
export interface OwnStateQuery {
  /** The last key of the reply before. */
  after?: string;
}

/** Answers `history`. */
export interface Page {
  /** Of which conversation. */
  conversation: ConversationId;
  /** The entries that the reader may see, ascending, as they stand. Sequences of the range that are missing here lie
   * outside the reader's memberships. */
  entries: Array<Entry>;
  /** The epoch of every number in it. */
  epoch: number;
  /** The first sequence that the page covers. */
  from: number;
  /** The highest sequence of the conversation now. */
  head: number;
  /** The last sequence that the page covers; `from - 1` where there is nothing. */
  to: number;
}

/** `POST /v1/account/password`: logs every other device out. */
export interface PasswordChange {
  /** The password from now on. */
  new_password: string;
  /** The password until now. */
  old_password: string;
}

/** Body of requests that need the password again: `DELETE /v1/account`, `POST /v1/account/recovery-codes`. */
export interface PasswordProof {
  /** The account's password; accounts that log in through an app have none and leave it empty. */
  password?: string;
}

/** Asks for a sign of life. */
export type Ping = Record<string, never>;

/** Answers `ping`. */
export interface Pong {
  /** The server's clock, milliseconds since 1970. */
  now: number;
  /** A resume token as of now. */
  resume: string;
}

/** Where an entry stands: the message id, within its conversation.
 *
 * Sequences of one epoch are 1, 2, 3, … without gaps. Another epoch means that the history may differ from what a
 * device saw (a restored backup): reset the conversation. */
export interface Position {
  /** The incarnation of the log. */
  epoch: number;
  /** The entry's number. */
  seq: number;
}

/** How one account stands. */
export interface Presence {
  /** Whose. */
  account: AccountId;
  /** When somebody was last looking, milliseconds since 1970; absent while online, hidden or unknown, and for whoever
   * never was there. */
  last_active_at?: number;
  /** Whether it is there. */
  state: PresenceState;
}

/** What one account is told of another. */
export type PresenceState =
  /** A device is connected, and somebody is looking at it. */
  | 'online'
  /** A device is connected, but nobody is looking. */
  | 'away'
  /** No device is connected. */
  | 'offline'
  /** Not for this account to see: a setting of either, a block, or there is no such account. */
  | 'hidden'
  /** The server cannot tell now; it will as soon as it can. A state of a later version reads as this one too. */
  | 'unknown';

/** Answers `watch`, in the order asked; as an event, the states that changed. */
export interface Presences {
  /** The accounts. */
  accounts: Array<Presence>;
}

/** What others see of an account. */
export interface Profile {
  /** A line about oneself. */
  about?: string;
  /** Who. */
  account: AccountId;
  /** A hue for the avatar, 0 to 359 degrees. */
  colour: number;
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** True once the account is deleted. */
  deleted?: boolean;
  /** The name to show. */
  display_name: string;
  /** The unique name; empty once the account is deleted. */
  name: string;
}

/** Answers `profiles`; accounts that do not exist are left out. */
export interface Profiles {
  /** The profiles, in no particular order. */
  profiles: Array<Profile>;
}

/** Asks for profiles. */
export interface ProfilesQuery {
  /** Of whom; up to 200. */
  accounts: Array<AccountId>;
}

/** Which entries of a conversation. A page may cover less than was asked; its `from` and `to` say what it covers. */
export type HistoryRange =
  | {
      between: {
        /** First sequence. */
        from: number;
        /** Last sequence. */
        to: number;
      };
    }
  | {
      newest: {
        /** How many at most. */
        limit: number;
      };
    }
  | {
      before: {
        /** The first sequence not wanted. */
        before: number;
        /** How many at most. */
        limit: number;
      };
    }
  | {
      around: {
        /** How many at most. */
        limit: number;
        /** The middle. */
        seq: number;
      };
    };

/** One member's reaction. */
export interface Reacted {
  /** Who. */
  account: AccountId;
  /** With what. */
  emoji: string;
}

/** Body of `Reaction`. */
export interface ReactionBody {
  /** The author's reaction from now on; absent when it takes its reaction back. */
  emoji?: string;
  /** The reaction that this one replaces; filled in by the server, so that counts can be kept by difference. */
  was?: string;
}

/** How many members reacted with one emoji. */
export interface ReactionCount {
  /** How many accounts chose it. */
  count: number;
  /** The emoji. */
  emoji: string;
  /** Whether the reader did. */
  mine: boolean;
}

/** Answers `reactions`. */
export interface Reactions {
  /** Who reacted, ordered by account. */
  reactions: Array<Reacted>;
}

/** Asks who reacted to a message. */
export interface ReactionsQuery {
  /** Where. */
  conversation: ConversationId;
  /** To which message. */
  seq: number;
}

/** The account's own read mark. */
export interface ReadMark {
  /** Where. */
  conversation: ConversationId;
  /** The log's epoch. */
  epoch: number;
  /** How many of them mention the account, at most 100. */
  mentions: number;
  /** Everything up to here is read. */
  read: number;
  /** How many messages are not. */
  unread: number;
}

/** `POST /v1/login/recovery`: a recovery code instead of the password; logs every other device out. */
export interface Recover {
  /** The device that logs in. */
  device?: NewDevice;
  /** The account's name. */
  name: string;
  /** The new password. */
  new_password: string;
  /** One of its recovery codes; used up by this. */
  recovery_code: string;
}

/** Answers `POST /v1/account/recovery-codes`; earlier codes are void. */
export interface RecoveryCodes {
  /** The new codes. */
  recovery_codes: Array<string>;
}

/** How two accounts stand to each other, as one of them sees it. */
export type Relation =
  /** I asked; the other has not answered. */
  | 'requested'
  /** The other asked me. */
  | 'asked'
  /** Both agreed. */
  | 'contact'
  /** I blocked the other. */
  | 'blocked';

/** Names the conversation to load again. */
export interface Reset {
  /** Which. */
  conversation: ConversationId;
  /** Its epoch now. */
  epoch: number;
}

/** What a member may do. */
export type Role =
  /** Talks. */
  | 'member'
  /** Also names, adds, removes, and deletes anybody's messages. */
  | 'admin'
  /** Also promotes, hands over and dissolves. */
  | 'owner';

/** Body of `RoleChanged`. Making somebody owner makes the author an admin. */
export interface RoleBody {
  /** Whose role. */
  account: AccountId;
  /** The new role. */
  role: Role;
}

/** `PUT /v1/groups/{conversation}/members/{account}/role`. `owner` hands the group over. */
export interface RoleChange {
  /** The new role. */
  role: Role;
}

/** One conversation in a list. */
export interface Row {
  /** When it was touched last, milliseconds since 1970. */
  at: number;
  /** Which. */
  conversation: ConversationId;
  /** The log's epoch. */
  epoch: number;
  /** The lowest sequence that the account may see. */
  floor: number;
  /** The highest sequence. */
  head: number;
  /** What it is. */
  kind: ConversationKind;
  /** The newest message, its text cut to 160 characters. */
  last?: Entry;
  /** How many members it has. */
  members: number;
  /** How many of them mention it, at most 100. */
  mentions: number;
  /** The ordinal at the head. */
  ordinal: number;
  /** The other account of a direct conversation. */
  peer?: AccountId;
  /** How far the account has read. */
  read: number;
  /** The account's role; absent once it is no member any more. */
  role?: Role;
  /** A group's title. */
  title?: string;
  /** How many messages it has not read. */
  unread: number;
}

/** Conversations as they stand. */
export interface Rows {
  /** The conversations. */
  rows: Array<Row>;
}

/** One act to append to a conversation's log. Sent again with the same `client_id`, it yields the same reply. */
export interface SendBody {
  /** The client id of this device's preceding unacknowledged send in this conversation. */
  after?: ClientId;
  /** The highest sequence of this conversation that the device had received when the act was composed. A repeated
   * send keeps the base of the first. */
  base: number;
  /** `MessageBody` for `message` and `edit`, `ReactionBody` for `reaction`, absent
   * for `delete`. */
  body?: unknown;
  /** The act's name for ever. */
  client_id: ClientId;
  /** Where. */
  conversation: ConversationId;
  /** `message`, `edit`, `delete` or `reaction`. */
  kind: Kind;
  /** Mentions in the text. */
  mentions?: Array<Mention>;
  /** The message that is answered, edited, deleted or reacted to. */
  target?: number;
}

/** Answers `send` and `set`, once the entry is durable. */
export interface Sent {
  /** When, milliseconds since 1970. */
  at: number;
  /** Where. */
  conversation: ConversationId;
  /** The entry's ordinal. */
  ordinal: number;
  /** Under which number. */
  position: Position;
}

/** Sets a value that all devices of the account share. */
export interface SetValue {
  /** As in `SendBody`, for the account's own conversation: with it a repeated `set` is found at any later time,
   * without it only among the newest entries. */
  base?: number;
  /** The act's name for ever. */
  client_id: ClientId;
  /** Which value: `mute/…`, `archive/…`, `pin/…`, `draft/…` or `app/…`. */
  key: string;
  /** The value; `null` removes it. */
  value: unknown;
}

/** Body of `SetValue`: the newest value of a key is its state; `null` removes the key. */
export interface SetBody {
  /** The key; see `SetKey`. */
  key: string;
  /** The value. */
  value: unknown;
}

/** Body of `SettingsChanged`: what is absent stays. */
export interface SettingsBody {
  /** Opaque data of the app, up to 2 KiB. */
  data?: unknown;
  /** For how many seconds a message may be edited. */
  edit_seconds?: number;
  /** Which past new members see. */
  history?: HistorySetting;
  /** The group's title. */
  title?: string;
}

/** `POST /v1/accounts`. */
export interface SignUp {
  /** The first device. */
  device?: NewDevice;
  /** 1 to 64 characters; the name where absent. */
  display_name?: string;
  /** Where sign-up is by invitation. */
  invite?: string;
  /** 2 to 32 characters of `[a-z0-9_.]`. */
  name: string;
  /** 8 to 256 characters. */
  password: string;
}

/** How a message stands at the time of a page: the body beside it is already the last edit's. */
export interface Standing {
  /** The number of the entry that deleted it, 0 if it stands. */
  deleted: number;
  /** The number of the last edit, 0 if never edited. */
  edited: number;
  /** The number of the newest reaction entry counted below. */
  reacted: number;
  /** Reactions by number of accounts, most frequent first. */
  reactions?: Array<ReactionCount>;
}

/** Answers `GET /v1/sync`: what happened since `cursor`. */
export interface Synced {
  /** The cursor for the next call. */
  cursor: string;
  /** The events, oldest first. */
  events: Array<ServerEvent>;
}

/** Says that the author is typing; expires by itself. */
export interface Typing {
  /** Where. */
  conversation: ConversationId;
  /** False when the author stopped. */
  typing: boolean;
}

/** Somebody types. */
export interface TypingMember {
  /** Who. */
  account: AccountId;
  /** Where. */
  conversation: ConversationId;
  /** False when it stopped. */
  typing: boolean;
}

/** Names the accounts on screen, in place of the list before; an empty list ends it. */
export interface Watch {
  /** Whose presence is wanted; up to 200. */
  accounts: Array<AccountId>;
}

/** Answers `hello`: the session lives, and here is what the device may have missed. */
export interface Welcome {
  /** Whose session this is. */
  account: AccountId;
  /** Which device's. */
  device: DeviceId;
  /** The optional features that both know. */
  features: Array<string>;
  /** After how many silent seconds the server pings; a client gives up after twice as many. */
  heartbeat_seconds: number;
  /** The server's limits. */
  limits: Limits;
  /** The server's clock, milliseconds since 1970. */
  now: number;
  /** The wire version that both speak. */
  protocol: number;
  /** Whether `resume` was accepted; if not, the window is a boot window: the newest conversations. */
  resumed: boolean;
  /** The boot window, or the conversations touched since `resume`. */
  window: ConversationWindow;
}

/** A list of conversations, the one touched last first. */
export interface ConversationWindow {
  /** Where the list goes on; absent at its end. */
  next?: string;
  /** The resume token as of this window. */
  resume: string;
  /** The conversations. */
  rows: Array<Row>;
}

/** Asks for conversations, the one touched last first. */
export interface WindowQuery {
  /** The `next` of the window before. */
  after?: string;
  /** How many rows at most. */
  limit?: number;
  /** Only those touched since this resume token was given out. */
  since?: string;
}

/** Every request by its name, with its body and its reply. */
export interface Requests {
  /** The conversation is no longer on screen; reply `Done`. */
  close: { body: ConversationQuery; reply: Done };
  /** One conversation with its members; reply `Detail`. */
  conversation: { body: ConversationQuery; reply: Detail };
  /** The device came to the foreground or left it; reply `Done`. */
  foreground: { body: Foreground; reply: Done };
  /** First frame of a WebSocket; reply `Welcome`. */
  hello: { body: Hello; reply: Welcome };
  /** Entries as they stand; reply `Page`. */
  history: { body: HistoryQuery; reply: Page };
  /** How far this account has received and read; reply `Marked`. */
  mark: { body: Mark; reply: Marked };
  /** The conversation is on screen: typing and marks are wanted; reply `Opened`. */
  open: { body: ConversationQuery; reply: Opened };
  /** Values of the account's own conversation; reply `OwnState`. */
  own_state: { body: OwnStateQuery; reply: OwnState };
  /** A new resume token; reply `Pong`. */
  ping: { body: Ping; reply: Pong };
  /** Names and colours of accounts; reply `Profiles`. */
  profiles: { body: ProfilesQuery; reply: Profiles };
  /** Who reacted to a message, and with what; reply `Reactions`. */
  reactions: { body: ReactionsQuery; reply: Reactions };
  /** Append a message, edit, deletion or reaction; reply `Sent`. */
  send: { body: SendBody; reply: Sent };
  /** Set a value of the account's own conversation; reply `Sent`. */
  set: { body: SetValue; reply: Sent };
  /** The author is typing, or stopped; reply `Done`. */
  typing: { body: Typing; reply: Done };
  /** The accounts on screen: their presence is wanted; reply `Presences`. */
  watch: { body: Watch; reply: Presences };
  /** Conversations, newest first; reply `ConversationWindow`. */
  window: { body: WindowQuery; reply: ConversationWindow };
}

/** The name of a request. */
export type RequestName = keyof Requests;

/** A request as it travels. */
export type RequestFrame = {
  [N in RequestName]: { id: number; type: N; body: Requests[N]['body'] };
}[RequestName];

/** Every event by its name, with its body. */
export interface Events {
  /** New entries. A device applies them when they follow what it has, and fetches what lies between otherwise. */
  entries: Entries;
  /** Others' watermarks, merged over about half a second. */
  marks: Marks;
  /** States that changed, of accounts that the session watches or shares an open conversation with. */
  presence: Presences;
  /** The account's own read mark moved, on whichever device. */
  read: ReadMark;
  /** The conversation's history may differ from what the device saw: drop its cache and load it again. */
  reset: Reset;
  /** The server lost track of what this session got: resume as after a reconnect. */
  resync: Record<string, never>;
  /** Conversations whose heads moved; only in `GET /v1/sync` replies. */
  rows: Rows;
  /** A member types or stopped; forget it after six seconds. */
  typing: TypingMember;
}

/** An event as it travels. */
export type ServerEvent = { [N in keyof Events]: { event: N; body: Events[N] } }[keyof Events];

/** The bodies of entries by kind; kinds that are missing have none. */
export interface EntryBodies {
  created: CreatedBody;
  edit: MessageBody;
  member_removed: AccountsBody;
  members_added: AccountsBody;
  message: MessageBody;
  reaction: ReactionBody;
  role_changed: RoleBody;
  set: SetBody;
  settings_changed: SettingsBody;
}

/** Every REST call: its JSON body, its query and its JSON reply. Those without a JSON reply of their own are missing. */
export interface RestCalls {
  /** Delete the account and erase what it wrote. */
  'DELETE /v1/account': { body: PasswordProof; reply: Done };
  /** Lift a block. */
  'DELETE /v1/blocks/{account}': { reply: Done };
  /** End a contact, withdraw or decline a request. */
  'DELETE /v1/contacts/{account}': { reply: Done };
  /** Log a device out, at once. */
  'DELETE /v1/devices/{device}': { reply: Done };
  /** Dissolve a group. */
  'DELETE /v1/groups/{conversation}': { reply: Sent };
  /** Remove a member; oneself: leave. */
  'DELETE /v1/groups/{conversation}/members/{account}': { reply: Sent };
  /** The own account. */
  'GET /v1/account': { reply: OwnAccount };
  /** Find accounts by the beginning of their name. */
  'GET /v1/accounts': {
    query: {
      /** What the name begins with; at least one character. */
      prefix: string;
    };
    reply: Accounts;
  };
  /** An account's profile. */
  'GET /v1/accounts/{account}': { reply: Profile };
  /** Contacts, requests and blocks. */
  'GET /v1/contacts': { reply: Contacts };
  /** The account's devices. */
  'GET /v1/devices': { reply: Devices };
  /** Where to connect, best first. */
  'GET /v1/gateways': { reply: Gateways };
  /** Whether the server serves. */
  'GET /v1/health': { reply: Health };
  /** Events since a cursor: long polling and polling. */
  'GET /v1/sync': {
    query: {
      /** The cursor of the answer before; absent at the first poll. */
      cursor?: string;
      /** The conversation that is on screen, whose marks and typing are wanted. */
      open?: ConversationId;
      /** For how many seconds to wait for something to happen, at most 55 and at most `heartbeat_seconds`; 0 or absent: not
       * at all. */
      wait?: number;
    };
    reply: Synced;
  };
  /** Change profile and settings. */
  'PATCH /v1/account': { body: AccountChange; reply: OwnAccount };
  /** Change a group's settings. */
  'PATCH /v1/groups/{conversation}': { body: GroupChange; reply: Sent };
  /** Change the password; other devices are logged out. */
  'POST /v1/account/password': { body: PasswordChange; reply: Done };
  /** Make new recovery codes; earlier ones are void. */
  'POST /v1/account/recovery-codes': { body: PasswordProof; reply: RecoveryCodes };
  /** Sign up. */
  'POST /v1/accounts': { body: SignUp; reply: LoggedIn };
  /** Make an account. */
  'POST /v1/app/accounts': { body: AppAccount; reply: OwnAccount };
  /** Make a group. */
  'POST /v1/app/groups': { body: AppGroup; reply: ConversationRef };
  /** Send a message in a member's name. */
  'POST /v1/app/messages': { body: AppMessage; reply: Sent };
  /** The direct conversation with somebody; made where there is none. */
  'POST /v1/direct': { body: OpenDirect; reply: ConversationRef };
  /** Make a group. */
  'POST /v1/groups': { body: NewGroup; reply: ConversationRef };
  /** Add members. */
  'POST /v1/groups/{conversation}/members': { body: AddMembers; reply: Sent };
  /** Log a device in. */
  'POST /v1/login': { body: LogIn; reply: LoggedIn };
  /** Log a device in with a token of the app's backend. */
  'POST /v1/login/app': { body: AppLogIn; reply: LoggedIn };
  /** Set a new password with a recovery code. */
  'POST /v1/login/recovery': { body: Recover; reply: LoggedIn };
  /** Log this device out. */
  'POST /v1/logout': { reply: Done };
  /** Block somebody. */
  'PUT /v1/blocks/{account}': { reply: Done };
  /** Ask somebody to be a contact, or accept. */
  'PUT /v1/contacts/{account}': { reply: Contact };
  /** Change a member's role; `owner` hands the group over. */
  'PUT /v1/groups/{conversation}/members/{account}/role': { body: RoleChange; reply: Sent };
}

/** The version of the wire, as `hello` states it. */
export const protocol = 1;

/** Error codes: HTTP status, after how many milliseconds the same may succeed (absent where it cannot), and the close code that follows in the answer to `hello`. */
export const errorCodes = {
  account_disabled: { status: 403, closes: 4201 },
  already_member: { status: 409 },
  bad_display_name: { status: 400 },
  bad_frame: { status: 400 },
  bad_invite: { status: 403 },
  bad_mention: { status: 400 },
  bad_name: { status: 400 },
  bad_request: { status: 400 },
  bad_token: { status: 401 },
  beyond_head: { status: 409 },
  binary_frame: { status: 400 },
  blocked: { status: 403 },
  client_id_reused: { status: 409 },
  data_too_large: { status: 413 },
  dissolved: { status: 403 },
  draining: { status: 503, retryAfterMs: 1000, closes: 4001 },
  edit_too_late: { status: 403 },
  empty_text: { status: 400 },
  frame_too_large: { status: 413 },
  group_full: { status: 409 },
  hello_first: { status: 400, closes: 4301 },
  internal: { status: 500, retryAfterMs: 1000 },
  method_not_allowed: { status: 405 },
  name_taken: { status: 409 },
  no_such_account: { status: 404 },
  no_such_conversation: { status: 404 },
  no_such_device: { status: 404 },
  no_such_message: { status: 404 },
  no_such_route: { status: 404 },
  not_accepting: { status: 403 },
  not_allowed: { status: 403 },
  not_member: { status: 403 },
  not_utf8: { status: 400 },
  origin_refused: { status: 403 },
  out_of_turn: { status: 409, retryAfterMs: 50 },
  overloaded: { status: 503, retryAfterMs: 500, closes: 4100 },
  rate_limited: { status: 429, retryAfterMs: 1000 },
  signup_closed: { status: 403 },
  stale_base: { status: 409 },
  storage_full: { status: 503, retryAfterMs: 5000 },
  text_too_long: { status: 413 },
  timed_out: { status: 503, retryAfterMs: 1000 },
  too_many_contacts: { status: 409 },
  too_many_conversations: { status: 409 },
  too_many_devices: { status: 409 },
  too_many_requests: { status: 429, retryAfterMs: 200 },
  unauthenticated: { status: 401, closes: 4200 },
  unknown_kind: { status: 400 },
  unknown_request: { status: 400 },
  unsupported_body: { status: 422 },
  unsupported_protocol: { status: 400, closes: 4302 },
  weak_password: { status: 400 },
  wrong_password: { status: 401 },
} as const satisfies Record<string, { status: number; retryAfterMs?: number; closes?: number }>;

/** A code that this version knows. */
export type ErrorCode = keyof typeof errorCodes;

/** What a client does after a close: resume at once, resume after a growing pause, log in again, or stop. */
export type AfterClose = 'resume' | 'pause' | 'log_in' | 'stop';

/** WebSocket close codes of the server. */
export const closeCodes = {
  '4000': { reason: 'too_slow', then: 'resume' },
  '4001': { reason: 'draining', then: 'resume' },
  '4002': { reason: 'silent', then: 'resume' },
  '4100': { reason: 'overloaded', then: 'pause' },
  '4200': { reason: 'unauthenticated', then: 'log_in' },
  '4201': { reason: 'account_closed', then: 'log_in' },
  '4300': { reason: 'replaced', then: 'stop' },
  '4301': { reason: 'protocol_error', then: 'stop' },
  '4302': { reason: 'unsupported_protocol', then: 'stop' },
  '4303': { reason: 'frame_too_large', then: 'stop' },
} as const satisfies Record<number, { reason: string; then: AfterClose }>;

/** What the ranges of close codes mean, for codes that this version does not know; everything else means `resume`. */
export const closeRanges = [
  { from: 4000, then: 'resume', to: 4099 },
  { from: 4100, then: 'pause', to: 4199 },
  { from: 4200, then: 'log_in', to: 4299 },
  { from: 4300, then: 'stop', to: 4399 },
] as const satisfies ReadonlyArray<{ from: number; to: number; then: AfterClose }>;

/** The limits where the server has said nothing else. */
export const defaultLimits = {
  base_entries: 4096,
  conversations: 4000,
  data_bytes: 2048,
  devices: 20,
  frame_bytes: 65536,
  members: 100,
  mentions: 100,
  page_entries: 200,
  text_bytes: 16384,
  window_rows: 200,
} as const satisfies Limits;
