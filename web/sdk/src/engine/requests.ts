/** Requests on the line and before it, and what is done with their answers. */

import type { Line, ServerFrame } from '../transport/line.js';
import { offline, stopped, timedOut, type Failure } from '../errors.js';
import type { ErrorBody, RequestFrame, RequestName, Requests as Wire } from '../wire.js';

/** How many requests may be unanswered on a line. */
export const MOST_UNANSWERED = 32;

/** How many requests wait for room on the line before more are refused. */
const MOST_WAITING = 512;

/** How a request ended. */
export type Answer<T> = { ok: T; error?: undefined } | { ok?: undefined; error: ErrorBody };

/** What becomes of a request. */
export interface Purpose<T> {
  /** What it is for, so that the same is not asked twice; absent where that does not matter. */
  key?: string;
  answered(answer: Answer<T>): void | Promise<void>;
  /** There will be no answer on this line. */
  abandoned?(failure: Failure): void;
}

interface Asked {
  type: RequestName;
  body: unknown;
  purpose: Purpose<never>;
}

/** Everything unanswered; ids go on for ever, so that a late reply is never taken for another's. */
export class Requests {
  private lastId = 0;
  private unanswered = new Map<number, Asked>();
  private waiting: Asked[] = [];

  /** For how many more requests the line has room now. */
  get room(): number {
    return this.waiting.length === 0 ? Math.max(0, MOST_UNANSWERED - this.unanswered.size) : 0;
  }

  /** Whether a request for what begins with `key` is under way. */
  isAsking(key: string): boolean {
    const isIt = ({ purpose }: Asked): boolean => purpose.key?.startsWith(key) ?? false;
    return [...this.unanswered.values()].some(isIt) || this.waiting.some(isIt);
  }

  /** Sends a request as soon as the line has room; without a line, whoever waits is told so. */
  ask<N extends RequestName>(
    line: Line | undefined,
    type: N,
    body: Wire[N]['body'],
    purpose: Purpose<Wire[N]['reply']>,
  ): void {
    const asked: Asked = { type, body, purpose };
    if (!line) purpose.abandoned?.(offline());
    else if (this.room > 0) this.putOn(line, asked);
    else if (this.waiting.length < MOST_WAITING) this.waiting.push(asked);
    else purpose.abandoned?.(timedOut());
  }

  /** Takes a reply or error to whoever waits for it. */
  async answer(line: Line | undefined, frame: Exclude<ServerFrame, { event: string }>): Promise<void> {
    const asked = frame.id === null ? undefined : this.unanswered.get(frame.id);
    if (frame.id !== null) this.unanswered.delete(frame.id);
    const answer = 'error' in frame ? { error: frame.error } : { ok: frame.ok as never };
    try {
      await asked?.purpose.answered(answer);
    } catch (failure) {
      // The engine ends with that; whoever waits must not wait for ever.
      asked?.purpose.abandoned?.(stopped());
      throw failure;
    }
    while (line && this.unanswered.size < MOST_UNANSWERED) {
      const next = this.waiting.shift();
      if (!next) return;
      this.putOn(line, next);
    }
  }

  /** The line is gone: nothing on it will be answered. */
  abandon(): void {
    const all = [...this.unanswered.values(), ...this.waiting];
    this.unanswered = new Map();
    this.waiting = [];
    all.forEach(({ purpose }) => purpose.abandoned?.(offline()));
  }

  private putOn(line: Line, asked: Asked): void {
    this.lastId += 1;
    this.unanswered.set(this.lastId, asked);
    line.send({ id: this.lastId, type: asked.type, body: asked.body } as RequestFrame);
  }
}
