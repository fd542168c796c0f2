/** The side that owns the engine: serves pages, one attendant each, whichever way they come. */

import { Failure } from '../errors.js';
import type { Delta } from '../engine/delta.js';
import type { Desk } from '../engine/desk.js';
import { Host } from '../engine/host.js';
import type { Opening } from '../engine/opening.js';
import type { Platform } from '../platform.js';
import type { FromOwner, FromPage, SentFailure, Way } from './messages.js';

/** So many deltas may be on their way to a page; one that is slower is told everything again when it is back. */
const MOST_UNSEEN = 64;

/** How long an app may take to give a token, in milliseconds. */
const JWT_WITHIN_MS = 30_000;

/** Learns when a page is gone although it could not say so. */
export type Mourn = (page: string, gone: () => void) => void;

/** What becomes of the place that the engine has to itself. */
export interface Claims {
  /** Takes it, before an engine is opened; fulfilled when it is taken. */
  claim?(opening: Opening): Promise<void>;
  /** No page is left. */
  abandoned?(): void;
}

/** All pages of one browser and server. */
export class Owner {
  private host: Promise<Host> | undefined;
  private readonly attendants = new Set<Attendant>();

  constructor(
    private readonly platform: Platform,
    private readonly mourn: Mourn,
    private readonly claims: Claims = {},
  ) {}

  /** A page comes by this way. */
  serve(way: Way<FromOwner, FromPage>): void {
    const attendant = new Attendant(way, this.platform, {
      open: (opening) => this.open(opening),
      opened: (page) => this.mourn(page, () => attendant.leave()),
      left: () => this.left(attendant),
    });
    this.attendants.add(attendant);
  }

  /** Another owner takes the place of this one; pages are told the reason. */
  async retire(reason?: string): Promise<void> {
    const host = await this.host?.catch(() => undefined);
    this.host = undefined;
    await host?.end(reason);
  }

  /** The engine in use; another one where that is over or another login's. */
  private async open(opening: Opening): Promise<Host> {
    const before = this.host;
    const host = await before?.catch(() => undefined);
    const fits = host !== undefined && !host.isOver && (await host.isFor(opening));
    // Another page came first, maybe with another login.
    if (this.host !== before) return this.open(opening);
    if (fits && !host.isOver) return host;
    this.host = this.replace(host, opening);
    return this.host;
  }

  private async replace(before: Host | undefined, opening: Opening): Promise<Host> {
    await before?.end(before.isOver ? undefined : 'another_account');
    await this.claims.claim?.(opening);
    return Host.open(this.platform, opening, () => this.askForJwt());
  }

  /** Asks a page for a token of the app: the newest first, since it is most likely alive. */
  private async askForJwt(): Promise<string> {
    for (const attendant of [...this.attendants].reverse()) {
      const jwt = await attendant.askForJwt();
      if (jwt !== undefined) return jwt;
    }
    throw new Failure('unreachable', 'No page could give a token.');
  }

  private left(attendant: Attendant): void {
    this.attendants.delete(attendant);
    if (this.attendants.size === 0) this.claims.abandoned?.();
  }
}

/** What an attendant asks of the owner. */
interface Ties {
  open(opening: Opening): Promise<Host>;
  opened(page: string): void;
  left(): void;
}

/** Serves one page. */
class Attendant {
  private desk: Desk | undefined;
  private unseen = 0;
  private hasMissed = false;
  private hasLeft = false;
  private lastJwt = 0;
  private readonly jwts = new Map<number, (jwt: string | undefined) => void>();

  constructor(
    private readonly way: Way<FromOwner, FromPage>,
    private readonly platform: Platform,
    private readonly ties: Ties,
  ) {
    way.onmessage = (message) => this.hear(message);
  }

  /** The page is gone. */
  leave(): void {
    if (this.hasLeft) return;
    this.hasLeft = true;
    void this.desk?.leave();
    this.jwts.forEach((answer) => answer(undefined));
    this.way.close();
    this.ties.left();
  }

  /** A token of the app; absent where the page gives none in time. */
  askForJwt(): Promise<string | undefined> {
    this.lastJwt += 1;
    const id = this.lastJwt;
    return new Promise((resolve) => {
      const answer = (jwt: string | undefined): void => {
        this.jwts.delete(id);
        resolve(jwt);
      };
      this.jwts.set(id, answer);
      this.platform.later(JWT_WITHIN_MS, () => answer(undefined));
      this.way.send({ say: 'jwt', id });
    });
  }

  private hear(message: FromPage): void {
    switch (message.say) {
      case 'open':
        void this.open(message.page, message.opening);
        return;
      case 'call':
        void this.call(message);
        return;
      case 'seen':
        this.seen(message.count);
        return;
      case 'jwt':
        this.jwts.get(message.id)?.(message.jwt);
        return;
      case 'leave':
        this.leave();
        return;
    }
  }

  private async open(page: string, opening: Opening): Promise<void> {
    this.way.send({ say: 'heard' });
    try {
      const host = await this.ties.open(opening);
      if (this.hasLeft) return;
      void this.desk?.leave();
      this.unseen = 0;
      this.way.send({ say: 'opened', me: host.account });
      this.desk = host.desk((delta) => this.tell(delta));
      this.ties.opened(page);
    } catch (failure) {
      this.way.send({ say: 'refused', failure: sent(failure) });
    }
  }

  private async call({ id, name, values }: Extract<FromPage, { say: 'call' }>): Promise<void> {
    try {
      if (!this.desk) throw new Failure('stopped', 'The client has stopped.');
      const call = this.desk[name] as (...all: unknown[]) => Promise<unknown>;
      this.way.send({ say: 'answer', id, value: await call.apply(this.desk, values) });
    } catch (failure) {
      this.way.send({ say: 'answer', id, failure: sent(failure) });
    }
  }

  /** A page that does not keep up is told nothing until it has. */
  private tell(delta: Delta): void {
    if (this.unseen >= MOST_UNSEEN) {
      this.hasMissed = true;
      return;
    }
    this.unseen += 1;
    this.way.send({ say: 'delta', delta });
  }

  private seen(count: number): void {
    this.unseen = Math.max(0, this.unseen - count);
    if (!this.hasMissed || this.unseen > 0 || !this.desk) return;
    this.hasMissed = false;
    this.tell({ ...this.desk.everything(), events: [{ type: 'lagged' }] });
  }
}

function sent(failure: unknown): SentFailure {
  if (!(failure instanceof Failure)) return { code: 'stopped', message: 'The client has stopped.' };
  const { code, message, error } = failure;
  return { code, message, ...(error && { error }) };
}
