/** The line to the server: a WebSocket, or polling where WebSockets do not get through. Both look the same from here. */

import type { Loss } from '../core/reconnect.js';
import { Failure } from '../errors.js';
import type { ErrorBody, RequestFrame, Welcome } from '../wire.js';

/** A reply, an error or an event. */
export type ServerFrame =
  { id: number; ok: unknown } | { id: number | null; error: ErrorBody } | { event: string; body?: unknown };

/** A line that is used: requests go in. */
export interface Line {
  readonly polling: boolean;
  send(frame: RequestFrame): void;
  /** Asks for a sign of life within the time, in milliseconds; without one the line is lost. */
  probe(within: number): void;
  /** Which conversation is on screen; polls ask about one. */
  look(conversation: string | undefined): void;
  /** Ends it; nothing comes out any more. */
  close(): void;
}

/** What comes out of a line, in this order: at most one welcome, frames, and its loss at last. */
export interface Listener {
  /** WebSockets only: the server takes the session. */
  welcome(welcome: Welcome): void;
  frame(frame: ServerFrame): void;
  /** Polling only: everything up to this cursor has come out. */
  cursor(cursor: string): void;
  lost(loss: Loss): void;
}

/** What a failed call means for a line. */
export function lossOf(failure: unknown): Loss {
  if (!(failure instanceof Failure)) return { why: 'bad_frame' };
  const error: ErrorBody | undefined = failure.error;
  if (error) return { why: 'refused', error };
  if (failure.code === 'timed_out') return { why: 'silent' };
  return failure.code === 'bad_answer' ? { why: 'bad_frame' } : { why: 'unreachable' };
}
