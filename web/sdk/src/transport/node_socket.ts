/** A WebSocket (RFC 6455) for Node 20, which has none: text frames, no extensions, over `node:http`. */

import { createHash, randomBytes } from 'node:crypto';
import { request as plainRequest, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import type { Duplex } from 'node:stream';

import type { Socket } from '../platform.js';

/** The largest message that is taken from a server, in bytes: a full page of the longest texts, with room to spare. */
const LARGEST = 16 * 1024 * 1024;

/** How long the other side may take to close, in milliseconds. */
const CLOSE_WITHIN_MS = 2_000;

const CONTINUATION = 0;
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** One connection; the same shape as a browser's. */
export class NodeSocket implements Socket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onerror: (() => void) | null = null;
  private stream: Duplex | undefined;
  private received: Buffer = Buffer.alloc(0);
  private parts: Buffer[] = [];
  private code = 1006;
  private isClosed = false;
  private readonly abort = new AbortController();

  constructor(address: string) {
    const url = new URL(address.replace(/^ws/, 'http'));
    const key = randomBytes(16).toString('base64');
    const request = (url.protocol === 'https:' ? secureRequest : plainRequest)(url, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': key,
      },
      signal: this.abort.signal,
    });
    request.on('upgrade', (response, stream, head) => this.begin(response, stream, head, key));
    request.on('response', (response) => {
      response.resume();
      this.fail();
    });
    request.on('error', () => this.fail());
    request.end();
  }

  send(text: string): void {
    this.write(TEXT, Buffer.from(text));
  }

  close(code?: number): void {
    if (this.isClosed) return;
    if (!this.stream) {
      this.abort.abort();
      return;
    }
    const body = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) body.writeUInt16BE(code);
    this.write(CLOSE, body);
    const { stream } = this;
    setTimeout(() => stream.destroy(), CLOSE_WITHIN_MS).unref();
  }

  private begin(response: IncomingMessage, stream: Duplex, head: Buffer, key: string): void {
    const expected = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    if (response.headers['sec-websocket-accept'] !== expected) {
      stream.destroy();
      this.fail();
      return;
    }
    this.stream = stream;
    stream.on('data', (data: Buffer) => this.take(data));
    stream.on('error', () => stream.destroy());
    stream.on('close', () => this.end());
    stream.on('end', () => stream.end());
    this.onopen?.();
    if (head.length > 0) this.take(head);
  }

  private take(data: Buffer): void {
    this.received = this.received.length === 0 ? data : Buffer.concat([this.received, data]);
    for (let frame = this.nextFrame(); frame; frame = this.nextFrame()) this.handle(frame);
    if (this.received.length > LARGEST) this.stream?.destroy();
  }

  /** One whole frame, taken out of what was received. */
  private nextFrame(): { opcode: number; isLast: boolean; body: Buffer } | undefined {
    const { received } = this;
    if (received.length < 2) return undefined;
    const [first, short] = [received.readUInt8(0), received.readUInt8(1) & 0x7f];
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (received.length < start) return undefined;
    let length = short;
    if (short === 126) length = received.readUInt16BE(2);
    if (short === 127) length = Number(received.readBigUInt64BE(2));
    if (received.length < start + length) return undefined;
    this.received = received.subarray(start + length);
    return { opcode: first & 0x0f, isLast: first >= 0x80, body: received.subarray(start, start + length) };
  }

  private handle({ opcode, isLast, body }: { opcode: number; isLast: boolean; body: Buffer }): void {
    if (opcode === PING) this.write(PONG, body);
    if (opcode === CLOSE) {
      this.code = body.length >= 2 ? body.readUInt16BE(0) : 1005;
      this.write(CLOSE, body);
      this.stream?.end();
    }
    if (opcode !== TEXT && opcode !== CONTINUATION) return;
    this.parts.push(body);
    if (!isLast) return;
    const data = Buffer.concat(this.parts).toString('utf8');
    this.parts = [];
    this.onmessage?.({ data });
  }

  private write(opcode: number, body: Buffer): void {
    const { stream } = this;
    if (!stream || stream.destroyed || stream.writableEnded) return;
    const mask = randomBytes(4);
    const masked = Buffer.from(body.map((byte, index) => byte ^ (mask[index % 4] ?? 0)));
    stream.write(Buffer.concat([header(opcode, body.length), mask, masked]));
  }

  private fail(): void {
    if (this.isClosed) return;
    this.onerror?.();
    this.end();
  }

  private end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.onclose?.({ code: this.code });
  }
}

/** The head of a masked frame in one piece. */
function header(opcode: number, length: number): Buffer {
  const bytes = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  bytes.writeUInt8(0x80 | opcode, 0);
  if (length < 126) {
    bytes.writeUInt8(0x80 | length, 1);
  } else if (length < 65_536) {
    bytes.writeUInt8(0x80 | 126, 1);
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes.writeUInt8(0x80 | 127, 1);
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  return bytes;
}
