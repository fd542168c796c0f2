/** The page's side: calls travel to whoever owns the engine, and travel again when another one takes over. */

import { Failure, stopped } from '../errors.js';
import type { Delta } from '../engine/delta.js';
import type { Calls } from '../engine/desk.js';
import type { Jwt, Opening } from '../engine/opening.js';
import type { Method } from '../transport/rest.js';
import type { OwnAccount } from '../wire.js';
import type { CallName, FromOwner, FromPage, SentFailure, Way } from './messages.js';

/** How many calls may wait for an answer. */
const MOST_WAITING = 10_000;

/** What a page listens for. */
export interface Listening {
  told(delta: Delta): void;
  /** Another engine answers from now on, which knows nothing of what this page shows. */
  taken(): void;
}

interface Waiting {
  name: CallName;
  values: unknown[];
  resolve(value: unknown): void;
  reject(failure: Error): void;
}

/** Calls of one page. */
export class Asking {
  readonly calls: Calls;
  /** Whose account it is, as soon as the owner is there; fails where none could be opened. */
  readonly opened: Promise<OwnAccount>;
  private open!: { resolve(me: OwnAccount): void; reject(failure: Error): void };
  private isOpen = false;
  /** Whether the present owner has answered; one that has not yet is told every call once it has opened. */
  private isServed = false;
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();
  private way: Way<FromPage, FromOwner> | undefined;
  private isClosed = false;

  constructor(
    private readonly page: string,
    private readonly opening: Opening,
    private readonly jwt: Jwt,
    private readonly listening: Listening,
  ) {
    this.opened = new Promise((resolve, reject) => (this.open = { resolve, reject }));
    this.calls = new Proxy({} as Calls, {
      get:
        (_, name) =>
        (...values: unknown[]) =>
          this.call(name as CallName, values),
    });
  }

  /** The owner is reached by this way from now on. */
  attach(way: Way<FromPage, FromOwner>): void {
    if (this.isClosed) return;
    this.way = way;
    this.isServed = false;
    way.onmessage = (message) => this.hear(way, message);
    way.send({ say: 'open', page: this.page, opening: this.opening });
  }

  /** The page goes. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.way?.send({ say: 'leave' });
    this.waiting.forEach(({ reject }) => reject(stopped()));
    this.waiting.clear();
  }

  private call(name: CallName, values: unknown[]): Promise<unknown> {
    if (this.isClosed || this.waiting.size >= MOST_WAITING) return Promise.reject(stopped());
    this.lastId += 1;
    const id = this.lastId;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { name, values, resolve, reject });
      if (this.isServed) this.send(id);
    });
  }

  /** Lets a waiting call travel; one whose values cannot travel fails by itself, and stops no other. */
  private send(id: number): void {
    const waiting = this.waiting.get(id);
    if (!waiting) return;
    try {
      this.way?.send({ say: 'call', id, name: waiting.name, values: waiting.values });
    } catch {
      this.waiting.delete(id);
      waiting.reject(new Failure('bad_request', 'The values of a call must be plain data.'));
    }
  }

  private hear(way: Way<FromPage, FromOwner>, message: FromOwner): void {
    if (way !== this.way || this.isClosed) return;
    switch (message.say) {
      case 'heard':
        return;
      case 'opened':
        this.begin(message.me);
        return;
      case 'refused':
        this.refuse(message.failure);
        return;
      case 'answer':
        this.answer(message);
        return;
      case 'delta':
        try {
          this.listening.told(message.delta);
        } finally {
          // Else the owner would soon take this page for one that does not keep up.
          way.send({ say: 'seen', count: 1 });
        }
        return;
      case 'jwt':
        void this.giveJwt(way, message.id);
        return;
    }
  }

  private begin(me: OwnAccount): void {
    const isAnother = this.isOpen;
    this.isOpen = true;
    this.isServed = true;
    this.open.resolve(me);
    if (isAnother) {
      this.repeat();
      this.listening.taken();
    } else {
      this.waiting.forEach((_, id) => this.send(id));
    }
  }

  /** Calls whose answer was lost with the owner before: those that may have been done already cannot be repeated. */
  private repeat(): void {
    for (const [id, { name, values, reject }] of this.waiting) {
      if (isRepeatable(name, values)) {
        this.send(id);
      } else {
        this.waiting.delete(id);
        reject(new Failure('timed_out', 'The outcome is not known.'));
      }
    }
  }

  private refuse(failure: SentFailure): void {
    this.isServed = true;
    this.open.reject(received(failure));
    if (this.isOpen) this.waiting.forEach(({ reject }) => reject(stopped()));
  }

  private answer({ id, value, failure }: Extract<FromOwner, { say: 'answer' }>): void {
    const waiting = this.waiting.get(id);
    this.waiting.delete(id);
    if (failure) waiting?.reject(received(failure));
    else waiting?.resolve(value);
  }

  private async giveJwt(way: Way<FromPage, FromOwner>, id: number): Promise<void> {
    const jwt = await this.jwt().catch(() => undefined);
    way.send({ say: 'jwt', id, ...(jwt !== undefined && { jwt }) });
  }
}

/** What a page shows is told to another engine by `taken`; anything else is safe but calls that are no repetition. */
function isRepeatable(name: CallName, values: readonly unknown[]): boolean {
  if (['show', 'hide', 'follow', 'unfollow', 'watch'].includes(name)) return false;
  if (name !== 'rest') return true;
  const [method, path] = values as [Method, string];
  // Acts under a client id are recognised by the server.
  return method !== 'POST' || path.startsWith('/v1/groups') || path === '/v1/direct';
}

function received({ code, message, error }: SentFailure): Failure {
  return new Failure(code, message, error);
}
