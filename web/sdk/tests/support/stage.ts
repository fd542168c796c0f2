/** A platform whose server, clock and network are played by the test: what a real server does too rarely to wait for. */

import { Host } from '../../src/engine/host.js';
import type { Delta } from '../../src/engine/delta.js';
import type { Desk } from '../../src/engine/desk.js';
import type { Platform, Socket } from '../../src/platform.js';
import { defaultLimits, type ErrorBody, type Limits } from '../../src/wire.js';

/** The account that plays. */
export const ME = '01a20307-be3a-767e-b983-8258631e195e';

/** A frame of the engine. */
export interface Asked {
  id: number;
  type: string;
  body: Record<string, unknown>;
}

/** One engine in its surroundings. */
export class Stage implements Platform {
  /** Every WebSocket that was begun. */
  readonly sockets: PlayedSocket[] = [];
  /** Answers of the server over HTTP, by path; without one it cannot be reached. */
  readonly answers = new Map<string, () => Response>();
  private time = 1_000_000;
  /** What pages were told. */
  readonly told: Delta[] = [];
  private readonly timers = new Set<{ at: number; act: () => void }>();

  constructor() {
    const account = { account: ME, name: 'mina', display_name: 'Mina', colour: 1 };
    this.answers.set('/v1/account', () => Response.json(account));
  }

  fetch(address: string): Promise<Response> {
    const answer = this.answers.get(new URL(address).pathname);
    return answer ? Promise.resolve(answer()) : Promise.reject(new TypeError('nobody answers'));
  }

  socket(): Socket {
    const socket = new PlayedSocket();
    this.sockets.push(socket);
    return socket;
  }

  now(): number {
    return this.time;
  }

  random(): number {
    return 0;
  }

  randomBytes(count: number): Uint8Array {
    return globalThis.crypto.getRandomValues(new Uint8Array(count));
  }

  later(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.time + milliseconds, act };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Lets time pass, in milliseconds. */
  pass(milliseconds: number): void {
    this.time += milliseconds;
    for (const timer of [...this.timers].sort((one, other) => one.at - other.at)) {
      if (timer.at <= this.time && this.timers.delete(timer)) timer.act();
    }
  }

  /** An engine, and a page's place at it. */
  async open(): Promise<{ host: Host; desk: Desk }> {
    const opening = {
      server: 'http://stage',
      key: { kind: 'token', token: 'proof' },
      device: { name: '', platform: 'web' },
      storage: 'memory',
    } as const;
    const host = await Host.open(this, opening, () => Promise.reject(new Error('no app')));
    const desk = host.desk((delta) => this.told.push(delta));
    await settled(desk);
    return { host, desk };
  }
}

/** The server's end of a WebSocket. */
export class PlayedSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  readonly heard: Asked[] = [];

  send(text: string): void {
    this.heard.push(JSON.parse(text) as Asked);
  }

  close(): void {
    // The line hears nothing more of it.
  }

  /** Takes the session, with an empty list. */
  welcome(limits: Partial<Limits> = {}): void {
    this.onopen?.();
    const window = { rows: [], resume: 'resume' };
    this.say({
      id: 0,
      ok: {
        account: ME,
        heartbeat_seconds: 1_000,
        limits: { ...defaultLimits, ...limits },
        resumed: false,
        window,
      },
    });
  }

  answer({ id }: Asked, ok: unknown): void {
    this.say({ id, ok });
  }

  refuse({ id }: Asked, error: ErrorBody): void {
    this.say({ id, error });
  }

  /** Tells an event. */
  tell(event: string, body: unknown): void {
    this.say({ event, body });
  }

  /** What was asked of a type, since the last time. */
  take(type: string): Asked[] {
    const found = this.heard.filter((asked) => asked.type === type);
    found.forEach((asked) => this.heard.splice(this.heard.indexOf(asked), 1));
    return found;
  }

  private say(frame: unknown): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }
}

/** Waits until everything that happened before was dealt with: calls wait their turn. */
export async function settled(desk: Desk): Promise<void> {
  await desk.profiles([]);
}
