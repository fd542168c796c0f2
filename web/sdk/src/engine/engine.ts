/**
 * The engine: owns the line, the outbox and every write to the cache; one for each account and browser.
 *
 * It takes three kinds of happenings, one at a time and in order: calls of pages, frames of the server, timers. What a
 * happening changes is written before the next one begins.
 */

import { Outbox } from '../core/outbox.js';
import { ownConversation } from '../core/ids.js';
import { isFrameBeyond } from '../core/size.js';
import { Failure, isOfStorage, stopped, tooLarge, traceOf } from '../errors.js';
import type { Platform } from '../platform.js';
import type { Held, Kept, Progress, Session, Store, Write } from '../store/contract.js';
import type { Line, ServerFrame } from '../transport/line.js';
import type { Rest } from '../transport/rest.js';
import type { AccountId, ConversationId, Entries, Events, RequestName, Requests as Wire } from '../wire.js';
import { Contact } from './contact.js';
import { History } from './history.js';
import { List } from './list.js';
import { Marks } from './marks.js';
import { Outlet } from './outlet.js';
import { Own } from './own.js';
import { People } from './people.js';
import { Presences } from './presence.js';
import { Requests, type Purpose } from './requests.js';
import { Sending } from './sending.js';
import { Timers } from './timers.js';

/** How many happenings may wait; a server that is so far ahead is resumed from instead. */
const MOST_WAITING = 4_096;

/** Entries of one conversation that wait are taken in together, up to so many. */
const MOST_TOGETHER = 200;

type Step = () => void | Promise<void>;

interface Happening {
  step: Step;
  /** Whether the server told it, and would tell it again. */
  isTold?: true;
  /** It will not happen any more. */
  dropped?: () => void;
  /** What it brings, where it is an event of entries that more can be added to. */
  entries?: Entries;
}

/** A new login of an app's user: the session to keep, and calls with its token. */
export interface Renewed {
  session: Session;
  rest: Rest;
}

/** Where an engine stands. */
export interface Surroundings {
  platform: Platform;
  rest: Rest;
  store: Store;
  session: Session;
  kept: Kept;
  /** A new proof where the present one is not valid any more; absent where only people can log in again. */
  renew?: () => Promise<Renewed>;
}

/** Owns everything that changes. */
export class Engine {
  readonly platform: Platform;
  readonly store: Store;
  rest: Rest;
  session: Session;
  readonly me: AccountId;
  /** The account's own conversation. */
  readonly ownId: ConversationId;
  readonly renew: (() => Promise<Renewed>) | undefined;

  readonly held: Map<ConversationId, Held>;
  progress: Progress;
  readonly outbox: Outbox;

  readonly requests = new Requests();
  readonly timers: Timers;
  readonly outlet: Outlet;
  readonly contact: Contact;
  readonly history: History;
  readonly list: List;
  readonly marks: Marks;
  readonly own: Own;
  readonly people: People;
  readonly presences: Presences;
  readonly sending: Sending;

  private inbox: Happening[] = [];
  private isRunning = false;
  private isOver = false;

  constructor({ platform, rest, store, session, kept, renew }: Surroundings) {
    this.platform = platform;
    this.store = store;
    this.rest = rest;
    this.session = session;
    this.renew = renew;
    this.me = session.account.account;
    this.ownId = ownConversation(this.me);
    this.held = new Map(kept.conversations);
    this.progress = kept.progress;
    this.outbox = new Outbox(kept.outbox.map((placed) => placed.item));
    this.timers = new Timers(platform, (act) => this.enqueue(act));
    this.outlet = new Outlet(this, kept.limits);
    this.contact = new Contact(this);
    this.history = new History(this);
    this.list = new List(this);
    this.marks = new Marks(this);
    this.own = new Own(this, kept);
    this.people = new People(this, kept);
    this.presences = new Presences(this);
    this.sending = new Sending(this, kept.outbox);
  }

  /** Milliseconds since 1970, by this device's clock. */
  now(): number {
    return this.platform.now();
  }

  /** Whether it was stopped, logged out or has failed. */
  get hasEnded(): boolean {
    return this.isOver;
  }

  /** The first step: lets go of what is cached beyond need, and gets a line. */
  async start(): Promise<void> {
    await this.write(this.history.shortened());
    this.own.watchMutes();
    this.contact.connect();
  }

  /** A happening that waits its turn; `dropped` is told where the end comes first. */
  enqueue(step: Step, dropped?: () => void): void {
    this.take({ step, ...(dropped && { dropped }) });
  }

  /** A call of a page: waits its turn; what it changed is told before it is answered. Fails with `stopped` at the end. */
  call<T>(step: () => T | Promise<T>): Promise<T> {
    if (this.isOver) return Promise.reject(stopped());
    return new Promise((resolve, reject) => {
      const dropped = (): void => reject(stopped());
      const answered = async (): Promise<void> => {
        try {
          const outcome = await step();
          this.outlet.flush();
          resolve(outcome);
        } catch (failure) {
          reject(failure instanceof Error ? failure : stopped());
          if (!(failure instanceof Failure)) throw failure;
        }
      };
      this.take({ step: answered, dropped });
    });
  }

  /** A frame of the server. */
  receive(line: Line, frame: ServerFrame): void {
    const isCurrent = (): boolean => line === this.contact.line;
    if (!('event' in frame) || frame.event !== 'entries') {
      this.take({ step: () => (isCurrent() ? this.onFrame(frame) : undefined), isTold: true });
      return;
    }
    const body = frame.body as Entries;
    if (this.addTo(this.inbox.at(-1)?.entries, body)) return;
    const entries = { ...body, entries: [...body.entries] };
    const step = (): void | Promise<void> => (isCurrent() ? this.onEvent('entries', entries) : undefined);
    this.take({ step, entries, isTold: true });
  }

  /**
   * Sends a request; see `Requests.ask`. One that is too large is refused here: the server would not say which one it
   * means, and would end the session at last.
   */
  ask<N extends RequestName>(type: N, body: Wire[N]['body'], purpose: Purpose<Wire[N]['reply']>): void {
    const { line } = this.contact;
    if (!line || this.fits(type, body)) {
      this.requests.ask(line, type, body, purpose);
      return;
    }
    const { code, message } = tooLarge('frame_too_large');
    this.enqueue(
      () => purpose.answered({ error: { code, message } }),
      () => purpose.abandoned?.(stopped()),
    );
  }

  /** Whether the server takes a request of this size. */
  fits<N extends RequestName>(type: N, body: Wire[N]['body']): boolean {
    return !isFrameBeyond(type, body, this.outlet.limits.frame_bytes);
  }

  /** Commits changes of the cache, all or none. */
  async write(writes: readonly Write[]): Promise<void> {
    if (writes.length > 0) await this.store.write(writes);
  }

  /** The write that keeps how far the device has come. */
  progressed(progress: Partial<Progress>): Write {
    this.progress = { ...this.progress, ...progress };
    return { what: 'progress', progress: this.progress };
  }

  /** The write that keeps a conversation. */
  hold(conversation: ConversationId, held: Held): Write {
    this.held.set(conversation, held);
    return { what: 'conversation', conversation, held };
  }

  /** It is not certain any more whose login this is: the next one to open the cache must ask the server. */
  async doubt(): Promise<void> {
    this.session = { ...this.session, fingerprint: '' };
    await this.write([{ what: 'session', session: this.session }]);
  }

  /** Forgets everything that is cached, and ends: the account is logged out here. */
  async forget(): Promise<void> {
    this.contact.logOut();
    await this.store.write([{ what: 'wipe' }]);
    await this.end();
  }

  /** Ends it: lets go of line and store. What waits for an answer is told `stopped`. */
  async end(): Promise<void> {
    if (this.isOver) return;
    this.contact.disconnect();
    this.outlet.flush();
    this.cease();
    await this.store.close();
  }

  private addTo(waiting: Entries | undefined, more: Entries): boolean {
    const [last, first] = [waiting?.entries.at(-1), more.entries[0]];
    if (!waiting || !last || !first || waiting.conversation !== more.conversation) return false;
    const isTooMuch = waiting.entries.length + more.entries.length > MOST_TOGETHER;
    if (waiting.epoch !== more.epoch || first.seq !== last.seq + 1 || isTooMuch) return false;
    waiting.entries.push(...more.entries);
    return true;
  }

  private take(happening: Happening): void {
    if (this.isOver) {
      happening.dropped?.();
      return;
    }
    if (happening.isTold && this.inbox.length >= MOST_WAITING) {
      this.contact.line?.close();
      this.inbox = this.inbox.filter((one) => !one.isTold);
      this.inbox.push({ step: () => this.contact.lost({ why: 'closed' }) });
    } else {
      this.inbox.push(happening);
    }
    if (!this.isRunning) void this.run();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    for (let next = this.inbox.shift(); next; next = this.inbox.shift()) {
      try {
        await next.step();
        this.finishStep();
      } catch (failure) {
        this.fail(failure);
      }
    }
    this.isRunning = false;
  }

  /** Nothing happens any more. */
  private cease(): void {
    this.isOver = true;
    this.timers.clearAll();
    this.inbox.forEach((one) => one.dropped?.());
    this.inbox = [];
  }

  /** What every happening may leave to do. */
  private finishStep(): void {
    if (this.isOver) return;
    this.people.askAboutStrangers();
    this.history.startFills();
    this.outlet.schedule();
  }

  /** What was not written must not be built upon, and what is broken must not go on. */
  private fail(failure: unknown): void {
    console.error('suda: the engine has stopped', traceOf(failure));
    try {
      this.contact.stop(isOfStorage(failure) ? 'cache' : 'internal');
      this.outlet.flush();
    } catch {
      this.outlet.tellOnlyConnection();
    } finally {
      this.cease();
    }
  }

  private async onFrame(frame: ServerFrame): Promise<void> {
    if ('event' in frame) {
      await this.onEvent(frame.event, frame.body);
      return;
    }
    await this.requests.answer(this.contact.line, frame);
    this.sending.pumpAll();
  }

  private async onEvent(event: string, body: unknown): Promise<void> {
    // Only what a resume would tell again is worth a new resume token.
    if (event !== 'presence' && event !== 'typing') this.contact.isStirred = true;
    switch (event) {
      case 'entries':
        return this.history.onEntries(body as Events['entries']);
      case 'marks':
        return this.marks.onMarks(body as Events['marks']);
      case 'read':
        return this.marks.onRead(body as Events['read']);
      case 'typing':
        return this.presences.onTyping(body as Events['typing']);
      case 'presence':
        return this.presences.onPresence((body as Events['presence']).accounts);
      case 'rows':
        return this.list.onPolledRows((body as Events['rows']).rows);
      case 'reset':
        return this.history.onReset(body as Events['reset']);
      case 'resync':
        // The server lost track of what this session got: resume on a new line.
        return this.contact.lost({ why: 'closed' });
    }
  }
}
