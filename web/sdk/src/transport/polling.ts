/** A line that polls: requests are posted one by one, events are fetched with long polls. */

import type { Loss } from '../core/reconnect.js';
import { Failure } from '../errors.js';
import type { RequestFrame, Synced } from '../wire.js';
import { lossOf, type Line, type Listener, type ServerFrame } from './line.js';
import type { Rest } from './rest.js';

/** How long one poll waits for something to happen. */
const POLL_SECONDS = 25;

/** How long a poll may take beyond its wait. */
const GRACE_MS = 10_000;

/** Polls from `cursor` on. Nothing is told before this returns. */
export function openPolling(
  rest: Rest,
  cursor: string | undefined,
  open: string | undefined,
  listener: Listener,
): Line {
  return new PollingLine(rest, cursor, open, listener);
}

class PollingLine implements Line {
  readonly polling = true;
  private isOver = false;
  private readonly requests: RequestFrame[] = [];
  private isPosting = false;
  /** Ends the poll under way, so that the next one can ask for something else. */
  private hurry = new AbortController();
  /** A conversation that the account may not follow. */
  private refused: string | undefined;

  constructor(
    private readonly rest: Rest,
    private cursor: string | undefined,
    private open: string | undefined,
    private readonly listener: Listener,
  ) {
    void Promise.resolve().then(() => this.poll());
  }

  send(frame: RequestFrame): void {
    // The engine leaves at most so many unanswered that this cannot grow without bounds.
    this.requests.push(frame);
    if (!this.isPosting) void this.post();
  }

  probe(): void {
    // Every poll is a sign of life.
  }

  look(conversation: string | undefined): void {
    if (conversation === this.open) return;
    this.open = conversation;
    this.hurry.abort();
  }

  close(): void {
    this.isOver = true;
    this.hurry.abort();
  }

  /** Posts requests one after the other, so that they keep their order. */
  private async post(): Promise<void> {
    this.isPosting = true;
    for (let next = this.requests.shift(); next && !this.isOver; next = this.requests.shift()) {
      const frame = await this.answer(next);
      if (frame && !this.hasEnded()) this.listener.frame(frame);
    }
    this.isPosting = false;
  }

  private async answer(request: RequestFrame): Promise<ServerFrame | undefined> {
    try {
      const { ok } = await this.rest.call<{ ok: unknown }>('POST', '/v1/requests', request);
      return { id: request.id, ok };
    } catch (failure) {
      if (failure instanceof Failure && failure.error) return { id: request.id, error: failure.error };
      this.lose(lossOf(failure));
      return undefined;
    }
  }

  private async poll(): Promise<void> {
    while (!this.hasEnded()) {
      this.hurry = new AbortController();
      const open = this.open === this.refused ? undefined : this.open;
      try {
        this.tell(
          await this.rest.call<Synced>(
            'GET',
            this.path(open),
            undefined,
            POLL_SECONDS * 1_000 + GRACE_MS,
            this.hurry.signal,
          ),
        );
      } catch (failure) {
        if (!this.hurry.signal.aborted && !this.canGoOn(failure, open)) this.lose(lossOf(failure));
      }
    }
  }

  private path(open: string | undefined): string {
    const query = new URLSearchParams({ wait: String(POLL_SECONDS) });
    if (this.cursor !== undefined) query.set('cursor', this.cursor);
    if (open !== undefined) query.set('open', open);
    return `/v1/sync?${query.toString()}`;
  }

  private tell(synced: Synced): void {
    if (this.isOver) return;
    for (const event of synced.events) this.listener.frame(event as ServerFrame);
    this.listener.cursor(synced.cursor);
    this.cursor = synced.cursor;
  }

  /** Whether another poll makes sense after a failure. */
  private canGoOn(failure: unknown, open: string | undefined): boolean {
    const code = failure instanceof Failure ? failure.code : '';
    if (open !== undefined && ['not_member', 'no_such_conversation'].includes(code)) {
      this.refused = open;
      return true;
    }
    // A cursor that the server does not take any more: begin like a new device.
    if (this.cursor !== undefined && ['bad_request', 'beyond_head'].includes(code)) {
      this.cursor = undefined;
      return true;
    }
    return false;
  }

  private lose(loss: Loss): void {
    if (this.isOver) return;
    this.close();
    this.listener.lost(loss);
  }

  /** Asked after every wait: it may have ended meanwhile. */
  private hasEnded(): boolean {
    return this.isOver;
  }
}
