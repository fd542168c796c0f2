/**
 * What pages ask of an engine. Every call can be repeated safely after its answer was lost, unless it is named in
 * `ONCE`: a page repeats the others when another tab takes the engine over.
 */

import type { Anchor } from '../core/stretch.js';
import { Failure, stopped } from '../errors.js';
import { endLogin, type Method } from '../transport/rest.js';
import type {
  AccountId,
  ClientId,
  ConversationId,
  OwnAccount,
  Profile,
  Reacted,
  Reactions,
} from '../wire.js';
import { detailsOf, type Delta, type Reading } from './delta.js';
import type { Engine } from './engine.js';
import type { Audience } from './outlet.js';
import { read } from './reading.js';
import type { Purpose } from './requests.js';
import type { Composed } from './sending.js';

/** What a page asks for. */
export interface Calls {
  read(conversation: ConversationId, anchor: Anchor, limit: number): Promise<Reading>;
  compose(composed: Composed): Promise<void>;
  retry(clientId: ClientId): Promise<void>;
  discard(clientId: ClientId): Promise<void>;
  markRead(conversation: ConversationId, seq: number): Promise<void>;
  typing(conversation: ConversationId, typing: boolean): Promise<void>;
  /** A timeline shows the conversation: its messages, marks, typing and presence are told from now on. */
  show(conversation: ConversationId): Promise<void>;
  /** A timeline of the conversation was closed. */
  hide(conversation: ConversationId): Promise<void>;
  /** Somebody looks at a conversation's details. */
  follow(conversation: ConversationId): Promise<void>;
  unfollow(conversation: ConversationId): Promise<void>;
  /** The accounts on screen. */
  watch(accounts: AccountId[]): Promise<void>;
  foreground(foreground: boolean): Promise<void>;
  /** Profiles that are known; the others are told when they come. */
  profiles(accounts: AccountId[]): Promise<Profile[]>;
  reactions(conversation: ConversationId, seq: number): Promise<Reacted[]>;
  moreConversations(): Promise<boolean>;
  /** Waits until a conversation's row and members are read anew. */
  refresh(conversation: ConversationId): Promise<void>;
  setValue(key: string, value: unknown): Promise<void>;
  /** A call of the REST API. */
  rest(method: Method, path: string, body?: unknown): Promise<unknown>;
  /** The server has told the own account anew. */
  keepAccount(account: OwnAccount): Promise<void>;
  /** People that the server has told. */
  keepProfiles(profiles: Profile[]): Promise<void>;
  /** Logs out, or where the account is gone already only forgets what is cached; answers whether the server knows of it. */
  logOut(isGone: boolean): Promise<boolean>;
  /** The page goes. */
  leave(): Promise<void>;
}

/** A page's place at an engine. */
export class Desk implements Calls, Audience {
  readonly followed = new Map<ConversationId, number>();
  private readonly details = new Map<ConversationId, number>();
  watched: AccountId[] = [];
  isForeground = false;

  constructor(
    private readonly engine: Engine,
    private readonly room: Room,
    readonly deliver: Audience['deliver'],
  ) {
    room.enter(this);
    engine.outlet.add(this);
  }

  read(conversation: ConversationId, anchor: Anchor, limit: number): Promise<Reading> {
    return read(this.engine, conversation, anchor, limit);
  }

  compose(composed: Composed): Promise<void> {
    return this.engine.call(() => this.engine.sending.compose(composed));
  }

  retry(clientId: ClientId): Promise<void> {
    return this.engine.call(() => this.engine.sending.retry(clientId));
  }

  discard(clientId: ClientId): Promise<void> {
    return this.engine.call(() => this.engine.sending.discard(clientId));
  }

  markRead(conversation: ConversationId, seq: number): Promise<void> {
    return this.engine.call(() => this.engine.marks.markRead(conversation, seq));
  }

  typing(conversation: ConversationId, typing: boolean): Promise<void> {
    return this.engine.call(() => this.engine.presences.tellTyping(conversation, typing));
  }

  show(conversation: ConversationId): Promise<void> {
    return this.engine.call(async () => {
      const count = this.followed.get(conversation) ?? 0;
      this.followed.set(conversation, count + 1);
      if (count > 0) return;
      await this.engine.list.follow(conversation);
      this.engine.outlet.place(conversation);
      if (!this.engine.marks.isOnScreen(conversation)) this.engine.marks.open(conversation);
    });
  }

  hide(conversation: ConversationId): Promise<void> {
    return this.engine.call(() => {
      if (countDown(this.followed, conversation)) this.room.left(conversation);
    });
  }

  follow(conversation: ConversationId): Promise<void> {
    return this.engine.call(async () => {
      this.details.set(conversation, (this.details.get(conversation) ?? 0) + 1);
      await this.engine.list.follow(conversation);
      this.engine.list.refresh(conversation);
    });
  }

  unfollow(conversation: ConversationId): Promise<void> {
    return this.engine.call(() => {
      if (countDown(this.details, conversation)) this.room.left(conversation);
    });
  }

  watch(accounts: AccountId[]): Promise<void> {
    return this.engine.call(() => {
      this.watched = accounts;
      this.room.watch();
      this.engine.outlet.presences(accounts);
    });
  }

  foreground(foreground: boolean): Promise<void> {
    return this.engine.call(() => {
      this.isForeground = foreground;
      this.room.look();
      if (foreground) this.engine.contact.hurry();
    });
  }

  profiles(accounts: AccountId[]): Promise<Profile[]> {
    return this.engine.call(() => {
      accounts.forEach((account) => this.engine.people.meet(account));
      return accounts.flatMap((account) => this.engine.people.profile(account) ?? []);
    });
  }

  reactions(conversation: ConversationId, seq: number): Promise<Reacted[]> {
    return new Promise((resolve, reject) => {
      const purpose: Purpose<Reactions> = {
        abandoned: reject,
        answered: ({ ok, error }) => (ok ? resolve(ok.reactions) : reject(Failure.of(error))),
      };
      this.engine.enqueue(
        () => this.engine.ask('reactions', { conversation, seq }, purpose),
        () => reject(stopped()),
      );
    });
  }

  moreConversations(): Promise<boolean> {
    return this.engine.list.more();
  }

  refresh(conversation: ConversationId): Promise<void> {
    return this.engine.list.refreshed(conversation);
  }

  setValue(key: string, value: unknown): Promise<void> {
    return this.engine.call(() => this.engine.own.set(key, value));
  }

  rest(method: Method, path: string, body?: unknown): Promise<unknown> {
    return this.engine.hasEnded ? Promise.reject(stopped()) : this.engine.rest.call(method, path, body);
  }

  keepAccount(account: OwnAccount): Promise<void> {
    return this.engine.call(() => this.engine.people.keepAccount(account));
  }

  keepProfiles(profiles: Profile[]): Promise<void> {
    return this.engine.call(() => this.engine.people.keep(profiles));
  }

  async logOut(isGone: boolean): Promise<boolean> {
    const { engine } = this;
    // The server may end the line before it answers: an app's user would be logged in again.
    engine.contact.isLeaving = true;
    try {
      // A device that cannot reach the server must be able to forget all the same.
      const isTold = isGone || (await endLogin(engine.rest));
      await engine.call(() => engine.forget());
      return isTold;
    } finally {
      engine.contact.isLeaving = false;
    }
  }

  leave(): Promise<void> {
    this.engine.outlet.remove(this);
    this.room.leave(this);
    return Promise.resolve();
  }

  /** Everything that the page was told or should have been. */
  everything(): Delta {
    const { outlet, presences, list } = this.engine;
    const looked = [...new Set([...this.followed.keys(), ...this.details.keys()])];
    return {
      ...outlet.everything(),
      presences: this.watched.map((account) => presences.of(account)),
      places: [...this.followed.keys()].map((one) => ({ conversation: one, presence: presences.in(one) })),
      details: looked.flatMap((conversation) => {
        const detail = list.atHand(conversation);
        return detail ? [{ conversation, details: detailsOf(detail) }] : [];
      }),
    };
  }

  /** Whether it shows a conversation or its details. */
  looksAt(conversation: ConversationId): boolean {
    return this.followed.has(conversation) || this.details.has(conversation);
  }
}

/** All pages of an engine: what any of them looks at counts. */
export class Room {
  private readonly desks = new Set<Desk>();

  constructor(private readonly engine: Engine) {}

  enter(desk: Desk): void {
    this.desks.add(desk);
  }

  leave(desk: Desk): void {
    this.desks.delete(desk);
    this.engine.enqueue(() => {
      desk.followed.forEach((_, conversation) => this.left(conversation));
      this.watch();
      this.look();
    });
  }

  /** A page shows a conversation no more. */
  left(conversation: ConversationId): void {
    const all = [...this.desks];
    if (!all.some((desk) => desk.followed.has(conversation))) this.engine.marks.close(conversation);
    if (!all.some((desk) => desk.looksAt(conversation))) this.engine.list.unfollow(conversation);
  }

  watch(): void {
    this.engine.presences.watch([...this.desks].reverse().flatMap((desk) => desk.watched));
  }

  look(): void {
    this.engine.presences.setForeground([...this.desks].some((desk) => desk.isForeground));
  }
}

function countDown(counts: Map<ConversationId, number>, conversation: ConversationId): boolean {
  const count = (counts.get(conversation) ?? 0) - 1;
  if (count > 0) counts.set(conversation, count);
  else counts.delete(conversation);
  return count === 0;
}
