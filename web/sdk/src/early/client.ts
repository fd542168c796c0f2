/**
 * A client whose engine is still to come. What was read first is there at once; every call waits for the whole client, and
 * what lives goes on with it.
 */

import type { Client, Conversation, SudaEvent, Timeline } from '../api.js';
import { Cell } from '../client/live.js';
import { ignore } from '../client/ignore.js';
import type {
  ConnectionState,
  ConversationDetails,
  ConversationPresence,
  ConversationSummary,
  Live,
  Message,
  TimelineView,
} from '../model.js';
import type { Platform } from '../platform.js';
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
import type { Beginning } from './reading.js';
import { Relay } from './relay.js';
import { EarlyTimeline } from './timeline.js';

const EMPTY: TimelineView = { messages: [], hasEarlier: false, hasLater: false, loading: true };

/** What is there of a client before it is whole. */
type Part = Pick<Client, 'me' | 'connection' | 'conversations' | 'unread' | 'contacts' | 'limits'> &
  Pick<
    Client,
    'events' | 'on' | 'conversation' | 'profile' | 'presence' | 'appValue' | 'setForeground' | 'close'
  >;

/** The part of a client that answers at once; `asWhole` makes a client of it. */
export class EarlyClient implements Part {
  readonly me: Live<OwnAccount>;
  readonly connection: Live<ConnectionState>;
  readonly conversations: Live<readonly ConversationSummary[]>;
  readonly unread: Live<{ unread: number; mentions: number }>;
  readonly contacts: Live<readonly Contact[]>;
  readonly limits: Live<Limits>;
  private readonly handles = new Map<ConversationId, EarlyConversation>();
  private readonly profiles = new Map<
    AccountId,
    { first: Cell<Profile | undefined>; live: Live<Profile | undefined> }
  >();

  constructor(
    me: OwnAccount,
    private readonly coming: Promise<Client>,
    private readonly platform: Platform,
  ) {
    this.me = this.live(me, (client) => client.me);
    this.connection = this.live<ConnectionState>({ state: 'connecting' }, (client) => client.connection);
    this.conversations = this.live<readonly ConversationSummary[]>([], (client) => client.conversations);
    this.unread = this.live({ unread: 0, mentions: 0 }, (client) => client.unread);
    this.contacts = this.live<readonly Contact[]>([], (client) => client.contacts);
    this.limits = this.live<Limits>(defaultLimits, (client) => client.limits);
  }

  asWhole(): Client {
    return whole<Client>(this, this.coming);
  }

  /** Shows what was read of a conversation. */
  take(conversation: ConversationId, { summary, details, view }: Beginning): void {
    const handle = this.handle(conversation);
    handle.first.summary.set(summary);
    handle.first.details.set(details);
    handle.first.view.set(view);
  }

  /** Shows who somebody is, and with that whom a conversation is with. */
  name(conversation: ConversationId, summary: ConversationSummary, profiles: readonly Profile[]): void {
    this.handle(conversation).first.summary.set(summary);
    profiles.forEach((profile) => this.known(profile.account).first.set(profile));
  }

  events(): AsyncIterableIterator<SudaEvent> {
    return eventsOf(this.coming);
  }

  on<T extends SudaEvent['type']>(
    type: T,
    listener: (event: Extract<SudaEvent, { type: T }>) => void,
  ): () => void {
    let isOver = false;
    let stop: (() => void) | undefined;
    this.coming.then((client) => {
      if (!isOver) stop = client.on(type, listener);
    }, ignore);
    return () => {
      isOver = true;
      stop?.();
    };
  }

  conversation(id: ConversationId): Conversation {
    return this.handle(id).asWhole();
  }

  profile(account: AccountId): Live<Profile | undefined> {
    return this.known(account).live;
  }

  presence(account: AccountId): Live<Presence> {
    return this.live<Presence>({ account, state: 'unknown' }, (client) => client.presence(account));
  }

  appValue(name: string): Live<unknown> {
    return this.live<unknown>(undefined, (client) => client.appValue(name));
  }

  setForeground(foreground: boolean): void {
    this.coming.then((client) => client.setForeground(foreground), ignore);
  }

  close(): void {
    this.coming.then((client) => client.close(), ignore);
  }

  private handle(id: ConversationId): EarlyConversation {
    const handle = this.handles.get(id) ?? new EarlyConversation(id, this.coming, this.platform);
    this.handles.set(id, handle);
    return handle;
  }

  private known(account: AccountId): { first: Cell<Profile | undefined>; live: Live<Profile | undefined> } {
    const present = this.profiles.get(account);
    if (present) return present;
    const first = new Cell<Profile | undefined>(undefined);
    const one = { first, live: told(first, this.coming, (client) => client.profile(account), isThere) };
    this.profiles.set(account, one);
    return one;
  }

  private live<T>(first: T, find: (client: Client) => Live<T>): Live<T> {
    return told(new Cell(first), this.coming, find, () => true);
  }
}

/** The part of a conversation that answers at once. */
class EarlyConversation implements Pick<
  Conversation,
  'id' | 'summary' | 'details' | 'presence' | 'timeline' | 'message' | 'typing'
> {
  readonly first = {
    summary: new Cell<ConversationSummary | undefined>(undefined),
    details: new Cell<ConversationDetails | undefined>(undefined),
    view: new Cell(EMPTY),
  };
  readonly summary: Live<ConversationSummary | undefined>;
  readonly details: Live<ConversationDetails | undefined>;
  readonly presence: Live<ConversationPresence>;
  private readonly coming: Promise<Conversation>;

  constructor(
    readonly id: ConversationId,
    client: Promise<Client>,
    private readonly platform: Platform,
  ) {
    this.coming = client.then((one) => one.conversation(id));
    this.coming.catch(ignore);
    const { summary, details } = this.first;
    this.summary = told(summary, this.coming, (one) => one.summary, isThere);
    this.details = told(details, this.coming, (one) => one.details, isThere);
    const nobody = new Cell<ConversationPresence>({ typing: [] });
    this.presence = told(
      nobody,
      this.coming,
      (one) => one.presence,
      () => true,
    );
  }

  asWhole(): Conversation {
    return whole<Conversation>(this, this.coming);
  }

  timeline(options?: { around?: number; pageSize?: number }): Timeline {
    const coming = this.coming.then((one) => one.timeline(options));
    return new EarlyTimeline(this.first.view, coming, this.platform);
  }

  async message(seq: number): Promise<Message | undefined> {
    const first = this.first.view.value.messages.find((message) => message.seq === seq);
    return first ?? (await this.coming).message(seq);
  }

  typing(typing: boolean): void {
    this.coming.then((one) => one.typing(typing), ignore);
  }
}

/** A value of something that is still to come; told from there once `has` says that there is something. */
function told<W, T>(
  first: Cell<T>,
  coming: Promise<W>,
  find: (one: W) => Live<T>,
  has: (value: T) => boolean,
): Live<T> {
  const relay = new Relay<T>(first);
  coming.then((one) => relay.followOnce(find(one), has), ignore);
  return relay;
}

/** What the part has is answered by it; any other call waits for the whole. */
function whole<T extends object>(part: Partial<T>, coming: Promise<T>): T {
  type Call = (...values: unknown[]) => unknown;
  return new Proxy(part as T, {
    get(_, name) {
      const own = part[name as keyof T];
      // A promise must not take it for another one.
      if (own !== undefined || name === 'then' || typeof name === 'symbol') return own;
      return async (...values: unknown[]) => {
        const one = await coming;
        return (one[name as keyof T] as Call).apply(one, values);
      };
    },
  });
}

async function* eventsOf(coming: Promise<Client>): AsyncGenerator<SudaEvent> {
  yield* (await coming).events();
}

function isThere(value: unknown): boolean {
  return value !== undefined;
}
