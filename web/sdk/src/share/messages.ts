/** What pages and whoever owns the engine tell each other; everything survives a structured clone. */

import type { Delta } from '../engine/delta.js';
import type { Calls } from '../engine/desk.js';
import type { Opening } from '../engine/opening.js';
import type { ErrorBody, OwnAccount } from '../wire.js';

/** The version of these messages: pages and workers of different versions do not understand each other. */
export const VERSION = 1;

/** The name of a call. */
export type CallName = keyof Calls;

/** A failure on its way. */
export interface SentFailure {
  code: string;
  message: string;
  error?: ErrorBody;
}

/** What a page says. */
export type FromPage =
  /** It is there; also after another owner took over. `page` names it as long as it lives. */
  | { say: 'open'; page: string; opening: Opening }
  | { say: 'call'; id: number; name: CallName; values: unknown[] }
  /** It has taken over so many deltas. */
  | { say: 'seen'; count: number }
  /** The token that the owner asked for; absent where the app gave none. */
  | { say: 'jwt'; id: number; jwt?: string }
  | { say: 'leave' };

/** What the owner says. */
export type FromOwner =
  /** It is there, and opens. */
  | { say: 'heard' }
  | { say: 'opened'; me: OwnAccount }
  | { say: 'refused'; failure: SentFailure }
  | { say: 'answer'; id: number; value?: unknown; failure?: SentFailure }
  | { say: 'delta'; delta: Delta }
  /** The app's backend is to sign a token. */
  | { say: 'jwt'; id: number };

/** One end of a way between a page and the owner. */
export interface Way<Out, In> {
  send(message: Out): void;
  /** Takes what comes; set once. */
  onmessage: (message: In) => void;
  close(): void;
}

/** A way over one end of a `MessageChannel` or to a `SharedWorker`. */
export function wayOver<Out, In>(port: MessagePort): Way<Out, In> {
  const way: Way<Out, In> = {
    send: (message) => port.postMessage(message),
    onmessage: () => undefined,
    close: () => port.close(),
  };
  port.onmessage = (event: MessageEvent<In>) => way.onmessage(event.data);
  return way;
}
