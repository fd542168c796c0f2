/** Calls over HTTP: the REST API, single requests, polling. */

import { Failure } from '../errors.js';
import type { Platform } from '../platform.js';
import type { ErrorBody } from '../wire.js';

/** How long a call may take. */
const WITHIN_MS = 20_000;

/** How calls prove who they are. */
export type Proof =
  | { kind: 'none' }
  /** The browser's cookie; the header tells the server that a page of its own asks. */
  | { kind: 'cookie' }
  | { kind: 'token'; token: string };

/** HTTP methods of the API. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The server over HTTP. */
export class Rest {
  constructor(
    private readonly platform: Platform,
    /** The server's address without a path; empty for the page's own. */
    readonly server: string,
    readonly proof: Proof,
  ) {}

  /** The same server with another proof. */
  with(proof: Proof): Rest {
    return new Rest(this.platform, this.server, proof);
  }

  /** The address of the WebSocket. */
  socketAddress(): string {
    const base = this.server === '' ? globalThis.location.origin : this.server;
    return `${base.replace(/^http/, 'ws')}/v1/ws`;
  }

  /**
   * One call; gives back the JSON of the answer.
   *
   * Fails with the server's code, `unreachable`, `timed_out`, or `bad_answer` where the answer cannot be read.
   */
  async call<T>(
    method: Method,
    path: string,
    body?: unknown,
    within = WITHIN_MS,
    signal?: AbortSignal,
  ): Promise<T> {
    const { ok, status, text } = await this.ask(method, path, body, within, signal);
    if (!ok) throw refusal(status, text);
    if (text === '') return undefined as T;
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new Failure('bad_answer', "The server's answer cannot be read.");
    }
  }

  /** The whole answer: one that is cut off is none. */
  private async ask(
    method: Method,
    path: string,
    body: unknown,
    within: number,
    signal: AbortSignal | undefined,
  ): Promise<{ ok: boolean; status: number; text: string }> {
    const patience = AbortSignal.timeout(within);
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['content-type'] = 'application/json';
    if (this.proof.kind === 'token') headers['authorization'] = `Bearer ${this.proof.token}`;
    if (this.proof.kind === 'cookie') headers['suda-session'] = 'cookie';
    try {
      const response = await this.platform.fetch(`${this.server}${path}`, {
        method,
        headers,
        credentials: this.proof.kind === 'cookie' ? 'same-origin' : 'omit',
        cache: 'no-store',
        signal: signal ? anyOf(patience, signal) : patience,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      return { ok: response.ok, status: response.status, text: await response.text() };
    } catch {
      if (patience.aborted) throw new Failure('timed_out', 'The server did not answer in time.');
      throw new Failure('unreachable', 'The server cannot be reached.');
    }
  }
}

/** How long a log-out waits for its answer. */
const FAREWELL_WITHIN_MS = 5_000;

/**
 * Ends the login of a device. Answers whether the server knows of it, also where it did before; false where it could not
 * be reached or is too busy, and the login is still valid. Fails where the server refuses.
 */
export async function endLogin(rest: Rest): Promise<boolean> {
  try {
    await rest.call('POST', '/v1/logout', undefined, FAREWELL_WITHIN_MS);
    return true;
  } catch (failure) {
    if (!(failure instanceof Failure)) throw failure;
    if (failure.code === 'unauthenticated') return true;
    const isPassing = ['unreachable', 'timed_out', 'bad_answer'].includes(failure.code);
    if (isPassing || failure.retryAfterMs !== undefined) return false;
    throw failure;
  }
}

/** What a failed answer says; one without the body of this API counts by its status alone. */
function refusal(status: number, text: string): Failure {
  try {
    const { error } = JSON.parse(text) as { error?: ErrorBody };
    if (typeof error?.code === 'string') return Failure.of(error);
  } catch {
    // Not from the server itself, but from something in front of it.
  }
  const message = `HTTP status ${String(status)}`;
  const isPassing = status >= 500 || status === 429;
  return Failure.of({ code: codeOf(status), message, ...(isPassing && { retry_after_ms: 1_000 }) });
}

function codeOf(status: number): string {
  if (status === 401) return 'unauthenticated';
  if (status === 413) return 'frame_too_large';
  if (status === 429) return 'rate_limited';
  return status >= 500 ? 'overloaded' : 'bad_request';
}

/** `AbortSignal.any`, which Safari has only since version 17.4. */
function anyOf(one: AbortSignal, other: AbortSignal): AbortSignal {
  if ('any' in AbortSignal) return AbortSignal.any([one, other]);
  const both = new AbortController();
  for (const signal of [one, other]) {
    if (signal.aborted) both.abort();
    signal.addEventListener('abort', () => both.abort(), { once: true });
  }
  return both.signal;
}
