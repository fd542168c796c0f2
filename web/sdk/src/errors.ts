/** The one error that calls of the SDK fail with. */

import type { ErrorBody } from './wire.js';

/** Why a call failed; see `SudaError` in the API. */
export class Failure extends Error {
  override readonly name = 'SudaError';
  readonly retryAfterMs?: number;

  constructor(
    /** A code of the server's error table, or one of the SDK's own. */
    readonly code: string,
    message: string,
    /** What the server said, where it did. */
    readonly error?: ErrorBody,
  ) {
    super(message);
    if (typeof error?.retry_after_ms === 'number') this.retryAfterMs = error.retry_after_ms;
  }

  /** The server said no. */
  static of(error: ErrorBody): Failure {
    return new Failure(error.code, error.message, error);
  }
}

/** There is no connection to the server. */
export function offline(): Failure {
  return new Failure('offline', 'There is no connection to the server.');
}

/** The outcome of a call is not known, or there are too many. */
export function timedOut(): Failure {
  return new Failure('timed_out', 'The server did not answer in time.');
}

/** The client was logged out or closed. */
export function stopped(): Failure {
  return new Failure('stopped', 'The client has stopped.');
}

/** It is larger than the server takes; the codes and sentences are the server's own. */
export function tooLarge(code: 'frame_too_large' | 'text_too_long'): Failure {
  const what = code === 'text_too_long' ? 'text' : 'frame or body';
  return new Failure(
    code,
    `The ${what} is ${code === 'text_too_long' ? 'longer' : 'larger'} than the limit.`,
  );
}

/** Whether the browser's storage refused something; anything else that is no `Failure` is a mistake of this code. */
export function isOfStorage(failure: unknown): boolean {
  // What cannot be cloned is not the storage's fault.
  return failure instanceof DOMException && failure.name !== 'DataCloneError';
}

/** What an error may say where others read it: its name and where it was, not its message, which may quote texts. */
export function traceOf(failure: unknown): string {
  if (!(failure instanceof Error)) return typeof failure;
  const { name, message, stack = '' } = failure;
  // Some engines put the message into the stack, all of them a place at the end of its other lines.
  const lines = stack.replace(message, '').split('\n');
  return [name, ...lines.filter((line) => /:\d+:\d+\)?$/u.test(line))].join('\n');
}
