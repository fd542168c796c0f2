/** A proxy between clients and a server: refuses WebSockets, breaks connections, and can serve pages of its own. */

import {
  createServer,
  request,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';

import { freePort } from './server.js';

/** A file that the proxy serves itself. */
export interface ServedFile {
  type: string;
  body: string | Buffer;
}

/** One proxy. */
export class Proxy {
  /** Answers WebSocket handshakes with 502, as some proxies on the way do. */
  refusesSockets = false;
  /** Lets nothing through to the server; its own files are there all the same. */
  isDown = false;
  /** WebSockets that were let through so far. */
  sockets = 0;
  readonly files = new Map<string, ServedFile>();
  private readonly open = new Set<Duplex>();
  private readonly http: HttpServer;

  private constructor(
    readonly port: number,
    private readonly target: number,
  ) {
    this.http = createServer((asked, answer) => this.pass(asked, answer));
    this.http.on('upgrade', (asked: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.upgrade(asked, socket, head),
    );
    this.http.on('connection', (socket: Socket) => this.keep(socket));
  }

  /** Starts one in front of a port. */
  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(await freePort(), target);
    await new Promise<void>((done) => proxy.http.listen(proxy.port, '127.0.0.1', done));
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Breaks every connection. */
  breakAll(): void {
    this.open.forEach((socket) => socket.destroy());
  }

  /** Ends it. */
  async stop(): Promise<void> {
    this.isDown = true;
    this.breakAll();
    await new Promise((done) => this.http.close(done));
  }

  private keep(socket: Duplex): void {
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const file = this.files.get((asked.url ?? '').replace(/\?.*/, ''));
    if (file) {
      answer.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-store' }).end(file.body);
      return;
    }
    if (this.isDown) {
      asked.destroy();
      return;
    }
    const { method, url, headers } = asked;
    const onward = request(
      { host: '127.0.0.1', port: this.target, method, path: url, headers },
      (response) => {
        answer.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(answer);
      },
    );
    onward.on('error', () => answer.writeHead(502).end());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  }

  private upgrade(asked: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.isDown) {
      socket.destroy();
      return;
    }
    if (this.refusesSockets) {
      socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      return;
    }
    this.sockets += 1;
    const onward = connect(this.target, '127.0.0.1');
    this.keep(onward);
    const lines = [`${asked.method ?? 'GET'} ${asked.url ?? '/'} HTTP/1.1`];
    for (let index = 0; index < asked.rawHeaders.length; index += 2) {
      lines.push(`${asked.rawHeaders[index] ?? ''}: ${asked.rawHeaders[index + 1] ?? ''}`);
    }
    onward.write(`${lines.join('\r\n')}\r\n\r\n`);
    onward.write(head);
    onward.pipe(socket);
    socket.pipe(onward);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  }
}
