/** A line over one WebSocket: greeting, frames both ways, and finding out that it is dead. */

import type { Loss } from '../core/reconnect.js';
import type { Platform, Socket } from '../platform.js';
import type { Hello, RequestFrame, Welcome } from '../wire.js';
import type { Line, Listener, ServerFrame } from './line.js';

/** How long the handshake and the `hello` may take together. */
const HELLO_WITHIN_MS = 10_000;

/** The id of the `hello` request; ids of later requests are the caller's, from 1. */
const HELLO_ID = 0;

/** Ids of signs of life count down from here, so that they never meet the caller's. */
const PROBE_ID = Number.MAX_SAFE_INTEGER;

/** Connects, says `hello`, and tells the listener what comes of it. Nothing is told before this returns. */
export function openSocket(platform: Platform, address: string, hello: Hello, listener: Listener): Line {
  return new SocketLine(platform, address, hello, listener);
}

class SocketLine implements Line {
  readonly polling = false;
  private readonly socket: Socket | undefined;
  private isOver = false;
  private isGreeted = false;
  private heartbeat = HELLO_WITHIN_MS;
  private probes = 0;
  private stopPatience: () => void;

  constructor(
    private readonly platform: Platform,
    address: string,
    hello: Hello,
    private readonly listener: Listener,
  ) {
    this.stopPatience = platform.later(HELLO_WITHIN_MS, () => this.lose({ why: 'silent' }));
    this.socket = this.connect(address);
    if (!this.socket) {
      this.stopPatience();
      this.stopPatience = platform.later(0, () => this.lose({ why: 'unreachable' }));
      return;
    }
    this.socket.onopen = () => this.write({ id: HELLO_ID, type: 'hello', body: hello });
    this.socket.onmessage = ({ data }) => this.receive(data);
    this.socket.onerror = () => this.lose(this.isGreeted ? { why: 'closed' } : { why: 'unreachable' });
    this.socket.onclose = ({ code }) => this.lose(lossOf(code, this.isGreeted));
  }

  send(frame: RequestFrame): void {
    this.write(frame);
  }

  probe(within: number): void {
    if (this.isOver || !this.isGreeted) return;
    this.probes += 1;
    this.write({ id: PROBE_ID - this.probes, type: 'ping', body: {} });
    this.stopPatience();
    this.stopPatience = this.platform.later(within, () => this.lose({ why: 'silent' }));
  }

  look(): void {
    // Requests of the engine tell what is on screen.
  }

  close(): void {
    this.end();
    this.socket?.close(1000);
  }

  private connect(address: string): Socket | undefined {
    try {
      return this.platform.socket?.(address);
    } catch {
      // Not an address, or refused by the page's security policy.
      return undefined;
    }
  }

  private write(frame: RequestFrame): void {
    if (!this.isOver) this.socket?.send(JSON.stringify(frame));
  }

  private receive(data: unknown): void {
    if (this.isOver) return;
    const frame = read(data);
    if (!frame) {
      this.lose({ why: 'bad_frame' });
      return;
    }
    if (!this.isGreeted) {
      this.greet(frame);
      return;
    }
    this.hope();
    if (!isProbe(frame)) this.listener.frame(frame);
  }

  private greet(frame: ServerFrame): void {
    if ('error' in frame) {
      this.lose({ why: 'refused', error: frame.error });
      return;
    }
    if (!('ok' in frame) || frame.id !== HELLO_ID) {
      this.lose({ why: 'bad_frame' });
      return;
    }
    const welcome = frame.ok as Welcome;
    this.isGreeted = true;
    this.heartbeat = Math.max(1, welcome.heartbeat_seconds) * 1_000;
    this.hope();
    this.listener.welcome(welcome);
  }

  /** Something was heard: the next sign of life is due in a heartbeat. Pings of the server are hidden from pages. */
  private hope(): void {
    this.stopPatience();
    this.stopPatience = this.platform.later(this.heartbeat, () => this.probe(this.heartbeat));
  }

  private lose(loss: Loss): void {
    if (this.isOver) return;
    this.end();
    this.socket?.close();
    this.listener.lost(loss);
  }

  private end(): void {
    this.isOver = true;
    this.stopPatience();
  }
}

function isProbe(frame: ServerFrame): boolean {
  return 'id' in frame && frame.id !== null && frame.id > Number.MAX_SAFE_INTEGER / 2;
}

/** Codes below 4000 are the library's or a proxy's and say nothing about this server. */
function lossOf(code: number, isGreeted: boolean): Loss {
  if (code >= 4000) return { why: 'closed', code };
  return isGreeted ? { why: 'closed' } : { why: 'unreachable' };
}

function read(data: unknown): ServerFrame | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const frame: unknown = JSON.parse(data);
    return typeof frame === 'object' && frame !== null ? (frame as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}
