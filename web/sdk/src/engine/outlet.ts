/** What pages are told: gathered for a frame's time, and told to each page once. */

import { last, around } from '../core/ranges.js';
import type { CachedEntry } from '../core/standing.js';
import { overlaid, stored, unsent } from '../core/view.js';
import type { SudaEvent } from '../api.js';
import type { Message } from '../model.js';
import {
  defaultLimits,
  type AccountId,
  type ConversationId,
  type Detail,
  type Limits,
  type Profile,
} from '../wire.js';
import { detailsOf, type Delta, type MessagesDelta } from './delta.js';
import type { Engine } from './engine.js';
import { summaryOf } from './summary.js';

/** Pages are told at most this often. */
const EVERY_MS = 16;

/** How many events a page is told at a time; those before are hints that something was missed. */
const MOST_EVENTS = 256;

/** A page that listens. */
export interface Audience {
  /** The conversations whose messages it shows. */
  followed: ReadonlyMap<ConversationId, unknown>;
  deliver(delta: Delta): void;
}

interface Gathered {
  entries: Map<number, CachedEntry>;
  /** What was joined to the newest entry when the last of them was told. */
  tail?: readonly [number, number];
  isUnsentChanged: boolean;
  isVoid: boolean;
}

/** Changes since pages were told last. */
export class Outlet {
  private readonly audiences = new Set<Audience>();
  /** Counts what was told. */
  moment = 0;
  private toldAt = 0;
  private isScheduled = false;

  private hasConnection = false;
  private hasAccount = false;
  private hasContacts = false;
  private hasLimits = false;
  private readonly rows = new Set<ConversationId>();
  private readonly gathered = new Map<ConversationId, Gathered>();
  private readonly changedProfiles = new Map<AccountId, Profile>();
  private readonly accounts = new Set<AccountId>();
  private readonly places = new Set<ConversationId>();
  private readonly changedDetails = new Map<ConversationId, Detail>();
  private readonly appNames = new Set<string>();
  private events: SudaEvent[] = [];

  constructor(
    private readonly engine: Engine,
    public limits: Limits = defaultLimits,
  ) {}

  /** A page begins to listen; it is told everything first. */
  add(audience: Audience): void {
    this.flush();
    this.audiences.add(audience);
    audience.deliver(this.everything());
  }

  /** A page listens no more. */
  remove(audience: Audience): void {
    this.audiences.delete(audience);
  }

  connection(): void {
    this.hasConnection = true;
    this.event({ type: 'connection', state: this.engine.contact.state });
    this.schedule();
  }

  account(): void {
    this.hasAccount = true;
  }

  contacts(): void {
    this.hasContacts = true;
    this.event({ type: 'contacts' });
  }

  /** The server's limits; says whether they are news. */
  changeLimits(limits: Limits): boolean {
    if (JSON.stringify(limits) === JSON.stringify(this.limits)) return false;
    this.limits = limits;
    this.hasLimits = true;
    return true;
  }

  row(conversation: ConversationId): void {
    this.rows.add(conversation);
  }

  profiles(profiles: readonly Profile[]): void {
    profiles.forEach((profile) => this.changedProfiles.set(profile.account, profile));
    this.event({ type: 'profiles' });
  }

  presences(accounts: Iterable<AccountId>): void {
    for (const account of accounts) this.accounts.add(account);
  }

  place(conversation: ConversationId): void {
    this.places.add(conversation);
  }

  details(conversation: ConversationId, detail: Detail): void {
    this.changedDetails.set(conversation, detail);
  }

  appValue(name: string): void {
    this.appNames.add(name);
  }

  /** Entries that are new or changed, for pages that show the conversation. */
  messages(conversation: ConversationId, entries: readonly CachedEntry[]): void {
    const gathered = this.gather(conversation);
    if (!gathered) return;
    entries.forEach((entry) => gathered.entries.set(entry.entry.seq, entry));
    // Now and not when pages are told: then the next entries may be known already, but not told yet.
    const known = this.engine.held.get(conversation)?.state.known ?? [];
    const tail = around(known, last(known) ?? 0);
    if (tail) gathered.tail = tail;
  }

  /** What waits to be sent changed. */
  unsent(conversation: ConversationId): void {
    const gathered = this.gather(conversation);
    if (gathered) gathered.isUnsentChanged = true;
    this.row(conversation);
  }

  /** What pages show of a conversation may be void. */
  reload(conversation: ConversationId): void {
    const gathered = this.gather(conversation);
    if (gathered) gathered.isVoid = true;
  }

  /** Something for apps to react to. */
  event(event: SudaEvent): void {
    this.events.push(event);
    if (this.events.length > MOST_EVENTS) this.events = [{ type: 'lagged' }, event];
  }

  /** Tells pages soon, at most once a frame. */
  schedule(): void {
    if (this.isScheduled || !this.hasNews()) return;
    const pause = this.toldAt + EVERY_MS - this.engine.now();
    // No timer where none is needed: those of hidden tabs are slow.
    if (pause <= 0 || pause > EVERY_MS) {
      this.flush();
      return;
    }
    this.isScheduled = true;
    this.engine.platform.later(pause, () => {
      this.isScheduled = false;
      this.flush();
    });
  }

  /** Tells pages now. */
  flush(): void {
    if (!this.hasNews()) return;
    this.toldAt = this.engine.now();
    this.moment += 1;
    const delta = this.changes();
    const messages = [...this.gathered].map(([conversation, gathered]) =>
      this.messagesOf(conversation, gathered),
    );
    this.clear();
    for (const audience of this.audiences) {
      const own = messages.filter((one) => audience.followed.has(one.conversation));
      audience.deliver(own.length > 0 ? { ...delta, messages: own } : delta);
    }
  }

  /** Tells pages how the engine stands and nothing else, which may be what it failed on. */
  tellOnlyConnection(): void {
    const { state } = this.engine.contact;
    const delta: Delta = { connection: state, events: [{ type: 'connection', state }] };
    this.audiences.forEach((audience) => audience.deliver(delta));
  }

  /** All there is, for a page that begins. */
  everything(): Delta {
    const { engine } = this;
    const names = engine.own.keys('app/').map((key) => key.slice('app/'.length));
    return {
      restart: true,
      connection: engine.contact.state,
      me: engine.session.account,
      limits: this.limits,
      rows: [...engine.held.keys()].flatMap((conversation) => summaryOf(engine, conversation) ?? []),
      contacts: engine.people.contacts,
      appValues: names.map((name) => ({ name, value: engine.own.value(`app/${name}`) })),
    };
  }

  /** What waits to be sent in a conversation, as messages. */
  unsentOf(conversation: ConversationId): Message[] {
    return this.engine.outbox.of(conversation).flatMap((item) => unsent(item, this.engine.me) ?? []);
  }

  /** Entries as messages, with what is shown already but not stored. */
  shown(conversation: ConversationId, entries: readonly CachedEntry[]): Message[] {
    const items = this.engine.outbox.of(conversation).filter((item) => item.kind !== 'message');
    return entries.map((entry) => items.reduce(overlaid, stored(conversation, entry)));
  }

  private gather(conversation: ConversationId): Gathered | undefined {
    if (![...this.audiences].some((audience) => audience.followed.has(conversation))) return undefined;
    const gathered = this.gathered.get(conversation) ?? {
      entries: new Map(),
      isUnsentChanged: false,
      isVoid: false,
    };
    this.gathered.set(conversation, gathered);
    return gathered;
  }

  private hasNews(): boolean {
    const flags = this.hasConnection || this.hasAccount || this.hasContacts || this.hasLimits;
    const sets = [
      this.rows,
      this.gathered,
      this.changedProfiles,
      this.accounts,
      this.places,
      this.changedDetails,
    ];
    return flags || sets.some((set) => set.size > 0) || this.appNames.size > 0 || this.events.length > 0;
  }

  private changes(): Delta {
    const { engine } = this;
    const rows = [...this.rows].flatMap((conversation) => summaryOf(engine, conversation) ?? []);
    if (rows.length > 0)
      this.event({ type: 'conversations', conversations: rows.map((row) => row.conversation) });
    return {
      ...(this.hasConnection && { connection: engine.contact.state }),
      ...(this.hasAccount && { me: engine.session.account }),
      ...(this.hasContacts && { contacts: engine.people.contacts }),
      ...(this.hasLimits && { limits: this.limits }),
      ...(rows.length > 0 && { rows }),
      ...(this.changedProfiles.size > 0 && { profiles: [...this.changedProfiles.values()] }),
      ...(this.accounts.size > 0 && { presences: [...this.accounts].map((one) => engine.presences.of(one)) }),
      ...(this.places.size > 0 && {
        places: [...this.places].map((one) => ({ conversation: one, presence: engine.presences.in(one) })),
      }),
      ...(this.changedDetails.size > 0 && {
        details: [...this.changedDetails].map(([conversation, detail]) => ({
          conversation,
          details: detailsOf(detail),
        })),
      }),
      ...(this.appNames.size > 0 && {
        appValues: [...this.appNames].map((name) => ({ name, value: engine.own.value(`app/${name}`) })),
      }),
      events: this.events,
    };
  }

  private messagesOf(conversation: ConversationId, gathered: Gathered): MessagesDelta {
    const entries = [...gathered.entries.values()].sort((one, other) => one.entry.seq - other.entry.seq);
    const { tail } = gathered;
    return {
      conversation,
      changed: this.shown(conversation, entries),
      ...(gathered.isUnsentChanged && { unsent: this.unsentOf(conversation) }),
      ...(tail && { tail }),
      ...(gathered.isVoid && { reload: true as const }),
      moment: this.moment,
    };
  }

  private clear(): void {
    [this.hasConnection, this.hasAccount, this.hasContacts, this.hasLimits] = [false, false, false, false];
    [this.rows, this.gathered, this.changedProfiles, this.accounts, this.places].forEach((set) =>
      set.clear(),
    );
    this.changedDetails.clear();
    this.appNames.clear();
    this.events = [];
  }
}
