/** The page's own copy of what the engine has told: cells that deltas bring forward. */

import type {
  ConnectionState,
  ConversationDetails,
  ConversationPresence,
  ConversationSummary,
} from '../model.js';
import type { Calls } from '../engine/desk.js';
import type { Delta, MessagesDelta } from '../engine/delta.js';
import {
  defaultLimits,
  type AccountId,
  type Contact,
  type ConversationId,
  type Limits,
  type OwnAccount,
  type Presence,
  type Profile,
} from '../wire.js';
import { Events } from './events.js';
import { ignore } from './ignore.js';
import { Cell } from './live.js';

/** A timeline that takes deltas. */
export interface Follower {
  readonly conversation: ConversationId;
  apply(delta: MessagesDelta): void;
  /** Changes were missed: reads again. */
  again(): void;
  /** Another engine: shows the conversation there, and reads again. */
  showAgain(): void;
}

/** How many accounts a page may watch. */
const MOST_WATCHED = 200;

const NOBODY: ConversationPresence = { typing: [] };

/** Everything that a page knows. */
export class Mirror {
  readonly me: Cell<OwnAccount>;
  readonly connection = new Cell<ConnectionState>({ state: 'offline' });
  readonly conversations = new Cell<readonly ConversationSummary[]>([]);
  readonly unread = new Cell({ unread: 0, mentions: 0 });
  readonly contacts = new Cell<readonly Contact[]>([]);
  readonly limits = new Cell<Limits>(defaultLimits);
  readonly events = new Events();
  readonly followers = new Set<Follower>();

  private rows = new Map<ConversationId, ConversationSummary>();
  private readonly summaries = new Map<ConversationId, Cell<ConversationSummary | undefined>>();
  private readonly profiles = new Map<AccountId, Cell<Profile | undefined>>();
  private readonly presences = new Map<AccountId, Cell<Presence>>();
  private readonly details = new Map<ConversationId, Cell<ConversationDetails | undefined>>();
  private readonly places = new Map<ConversationId, Cell<ConversationPresence>>();
  private readonly appValues = new Map<string, Cell<unknown>>();
  private unknownProfiles = new Set<AccountId>();
  /** Accounts that somebody subscribed to, the newest last. */
  private watched = new Set<AccountId>();
  private isWatchScheduled = false;

  constructor(
    me: OwnAccount,
    private readonly calls: Calls,
  ) {
    this.me = new Cell(me);
  }

  summary(conversation: ConversationId): Cell<ConversationSummary | undefined> {
    return cellOf(this.summaries, conversation, () => new Cell(this.rows.get(conversation)));
  }

  profile(account: AccountId): Cell<Profile | undefined> {
    return cellOf(this.profiles, account, () => {
      this.askProfile(account);
      return new Cell<Profile | undefined>(undefined);
    });
  }

  presence(account: AccountId): Cell<Presence> {
    return cellOf(this.presences, account, () => {
      const unknown: Presence = { account, state: 'unknown' };
      return new Cell(unknown, (isWanted) => this.watch(account, isWanted));
    });
  }

  detail(conversation: ConversationId): Cell<ConversationDetails | undefined> {
    return cellOf(this.details, conversation, () => {
      const follow = (isWanted: boolean): void => {
        const call = isWanted ? this.calls.follow(conversation) : this.calls.unfollow(conversation);
        call.catch(ignore);
      };
      return new Cell<ConversationDetails | undefined>(undefined, follow);
    });
  }

  place(conversation: ConversationId): Cell<ConversationPresence> {
    return cellOf(this.places, conversation, () => new Cell(NOBODY));
  }

  appValue(name: string): Cell<unknown> {
    return cellOf(this.appValues, name, () => new Cell<unknown>(undefined));
  }

  /** Takes over what the engine tells. */
  apply(delta: Delta): void {
    if (delta.restart) this.rows = new Map();
    if (delta.connection) this.connection.set(delta.connection);
    if (delta.me) this.me.set(delta.me);
    if (delta.limits) this.limits.set(delta.limits);
    if (delta.contacts) this.contacts.set(delta.contacts);
    if (delta.rows) this.takeRows(delta.rows, delta.restart ?? false);
    this.takePeople(delta);
    delta.details?.forEach(({ conversation, details }) => this.details.get(conversation)?.set(details));
    delta.places?.forEach(({ conversation, presence }) => this.place(conversation).set(presence));
    delta.appValues?.forEach(({ name, value }) => this.appValue(name).set(value));
    delta.messages?.forEach((messages) => {
      this.followers.forEach((follower) => {
        if (follower.conversation === messages.conversation) follower.apply(messages);
      });
    });
    if (delta.restart) this.followers.forEach((follower) => follower.again());
    delta.events?.forEach((event) => this.events.tell(event));
  }

  /** Another engine, or one that this page lost track of: asks again for everything that is shown. */
  askAgain(): void {
    this.profiles.forEach((cell, account) => (cell.value ? undefined : this.askProfile(account)));
    this.details.forEach((cell, conversation) => {
      if (cell.isWanted) this.calls.follow(conversation).catch(ignore);
    });
    if (this.watched.size > 0) this.scheduleWatch();
    this.followers.forEach((follower) => follower.showAgain());
  }

  private takeRows(rows: readonly ConversationSummary[], isAll: boolean): void {
    rows.forEach((row) => {
      this.rows.set(row.conversation, row);
      this.summaries.get(row.conversation)?.set(row);
    });
    if (isAll) this.summaries.forEach((cell, conversation) => cell.set(this.rows.get(conversation)));
    const list = [...this.rows.values()].filter((row) => row.kind !== 'self').sort(inListOrder);
    this.conversations.set(list);
    const counted = list.filter((row) => !row.archived && !row.mute);
    const unread = counted.reduce((sum, row) => sum + row.unread, 0);
    const mentions = list
      .filter((row) => !row.archived && counts(row))
      .reduce((sum, row) => sum + row.mentions, 0);
    const before = this.unread.value;
    if (before.unread !== unread || before.mentions !== mentions) this.unread.set({ unread, mentions });
  }

  private takePeople({ profiles, presences }: Delta): void {
    profiles?.forEach((profile) => this.profiles.get(profile.account)?.set(profile));
    presences?.forEach((presence) => this.presences.get(presence.account)?.set(presence));
  }

  /** Asks for profiles once, those of one moment together. */
  private askProfile(account: AccountId): void {
    this.unknownProfiles.add(account);
    if (this.unknownProfiles.size > 1) return;
    queueMicrotask(() => {
      const accounts = [...this.unknownProfiles];
      this.unknownProfiles = new Set();
      this.calls.profiles(accounts).then((profiles) => this.takePeople({ profiles }), ignore);
    });
  }

  private watch(account: AccountId, isWanted: boolean): void {
    this.watched.delete(account);
    if (isWanted) this.watched.add(account);
    this.scheduleWatch();
  }

  private scheduleWatch(): void {
    if (this.isWatchScheduled) return;
    this.isWatchScheduled = true;
    queueMicrotask(() => {
      this.isWatchScheduled = false;
      this.calls.watch([...this.watched].reverse().slice(0, MOST_WATCHED)).catch(ignore);
    });
  }
}

/** Pins first, then the one in which something was said last: reading must not move what is read. */
function inListOrder(one: ConversationSummary, other: ConversationSummary): number {
  return (one.pin ?? Infinity) - (other.pin ?? Infinity) || saidAt(other) - saidAt(one);
}

function saidAt({ last, at }: ConversationSummary): number {
  return last?.at ?? at;
}

/** Whether mentions in a conversation still count although it is muted. */
function counts(row: ConversationSummary): boolean {
  return !row.mute || row.mute.except_mentions;
}

function cellOf<K, V>(cells: Map<K, V>, key: K, make: () => V): V {
  const cell = cells.get(key) ?? make();
  cells.set(key, cell);
  return cell;
}
