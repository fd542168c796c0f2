/** Getting a line back: which way and after which pause. Pure; clock and randomness come from outside. */

import { Backoff } from './backoff.js';
import { closeCodes, closeRanges, type AfterClose, type ErrorBody } from '../wire.js';

/** So many WebSockets must fail in a row, while HTTP works, before polling takes over. */
const SOCKET_FAILURES = 2;

/** A line that lived this long, in milliseconds, was a good one: the next pause is short again. */
const GOOD_AFTER_MS = 10_000;

/** The longest jitter of "at once". */
const AT_ONCE_MS = 1_000;

/** The shortest pause where the server asked for one. */
const PAUSE_MS = 1_000;

/** Why a line was lost or could not be had. */
export type Loss =
  /** Nothing answers there. */
  | { why: 'unreachable' }
  /** It went away; with the close code, where there was one. */
  | { why: 'closed'; code?: number }
  /** Nothing was heard for too long. */
  | { why: 'silent' }
  /** What came cannot be read. */
  | { why: 'bad_frame' }
  /** The server refused the session. */
  | { why: 'refused'; error: ErrorBody };

/** What to do after a line was lost or a try failed. */
export type Next =
  /** Try again after so many milliseconds. */
  | { then: 'wait'; pauseMs: number }
  /** Poll: WebSockets do not get through here. */
  | { then: 'poll' }
  /** The token is not valid any more. */
  | { then: 'log_in' }
  /** Give up, and why. */
  | { then: 'stop'; reason: string };

/** What to do after a close code: its range tells, also for codes that are not known here. */
export function adviceOfClose(code: number): AfterClose {
  return closeRanges.find((range) => range.from <= code && code <= range.to)?.then ?? 'resume';
}

/** What to do after a loss. */
export function advice(loss: Loss): AfterClose {
  switch (loss.why) {
    case 'closed':
      return loss.code === undefined ? 'resume' : adviceOfClose(loss.code);
    case 'refused':
      return adviceOfError(loss.error);
    case 'bad_frame':
      return 'pause';
    case 'silent':
    case 'unreachable':
      return 'resume';
  }
}

function adviceOfError(error: ErrorBody): AfterClose {
  if (['unauthenticated', 'account_disabled', 'bad_token'].includes(error.code)) return 'log_in';
  return error.retry_after_ms === undefined || error.retry_after_ms === null ? 'stop' : 'pause';
}

/** What has been tried. */
export class Reconnect {
  private readonly backoff = new Backoff();
  private socketFailures = 0;
  private since: number | undefined;

  /** A line works since `now`, in milliseconds. */
  succeeded(now: number, polling: boolean): void {
    this.since = now;
    if (!polling) this.socketFailures = 0;
  }

  /** A try failed; `httpWorks` says whether the server answered over HTTP meanwhile. */
  failed(loss: Loss, httpWorks: boolean, chance: number): Next {
    if (loss.why !== 'refused') this.socketFailures += 1;
    const next = this.after(loss, chance);
    const mayPoll = this.socketFailures >= SOCKET_FAILURES && httpWorks;
    return mayPoll && next.then === 'wait' ? { then: 'poll' } : next;
  }

  /**
   * A line was lost. The server answered a moment ago, so "at once" means at once, also on a line that breaks again and
   * again.
   */
  lost(loss: Loss, now: number, chance: number): Next {
    const { since } = this;
    this.since = undefined;
    if (since !== undefined && now - since >= GOOD_AFTER_MS) this.backoff.reset();
    const next = this.after(loss, chance);
    if (next.then === 'wait' && advice(loss) === 'resume' && since !== undefined) {
      return { then: 'wait', pauseMs: Math.min(next.pauseMs, AT_ONCE_MS * chance) };
    }
    return next;
  }

  /** Somebody asks for a try right now, for example because the network came back: the next pause is short again. */
  encourage(): void {
    this.backoff.reset();
  }

  private after(loss: Loss, chance: number): Next {
    switch (advice(loss)) {
      case 'resume':
        return { then: 'wait', pauseMs: this.backoff.next(chance) };
      case 'pause':
        return { then: 'wait', pauseMs: PAUSE_MS + this.backoff.next(chance) };
      case 'log_in':
        return { then: 'log_in' };
      case 'stop':
        return { then: 'stop', reason: reason(loss) };
    }
  }
}

/** The name of what made trying again useless. */
function reason(loss: Loss): string {
  if (loss.why === 'refused') return loss.error.code;
  if (loss.why === 'closed' && loss.code !== undefined) {
    const close = (closeCodes as Readonly<Record<string, { reason: string }>>)[loss.code];
    return close?.reason ?? String(loss.code);
  }
  return loss.why;
}
