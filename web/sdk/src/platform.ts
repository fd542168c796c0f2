/** What the SDK needs of the place that it runs in; everything with a clock, randomness or a network goes through here. */

/** The part of a WebSocket that is used. */
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(code?: number): void;
}

/** The surroundings of an engine. */
export interface Platform {
  fetch(address: string, request: RequestInit): Promise<Response>;
  /** A WebSocket that begins to connect; absent where there are none. */
  socket?(address: string): Socket;
  /** This device's clock, milliseconds since 1970. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  randomBytes(count: number): Uint8Array;
  /** Acts after a while, in milliseconds; returns how to give that up. */
  later(milliseconds: number, act: () => void): () => void;
}

/** The platform of browsers, workers and Node; Node lends its sockets in `node.ts`. */
export const platform: Platform = {
  fetch: (address, request) => globalThis.fetch(address, request),
  ...('WebSocket' in globalThis && { socket: (address: string) => new WebSocket(address) as Socket }),
  now: () => Date.now(),
  random: () => Math.random(),
  randomBytes: (count) => globalThis.crypto.getRandomValues(new Uint8Array(count)),
  later: (milliseconds, act) => {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  },
};
