// The cable between browsers and the server: it can be cut and mended, and can let no WebSocket through, as some networks
// do. Unlike the browser's own offline mode it holds for every worker and tab, and what was open is torn.
import { createServer, connect, type AddressInfo, type Server as Listener, type Socket } from 'node:net';

/** A relay in front of an address. */
export class Cable {
  /** While true, a WebSocket is refused; those that are open stay. */
  refusesWebSockets = false;
  /** How many calls over plain HTTP asked for events. */
  polls = 0;
  /** How many bytes came from the far end. */
  received = 0;
  private listener: Listener | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly webSockets = new Set<Socket>();
  private port = 0;

  private constructor(private readonly target: URL) {}

  /** Lays one to `http://HOST:PORT`. */
  static async lay(target: string): Promise<Cable> {
    const cable = new Cable(new URL(target));
    await cable.mend();
    return cable;
  }

  /** Where browsers find the near end. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** How many WebSockets are open now. */
  get openWebSockets(): number {
    return this.webSockets.size;
  }

  /** Nothing gets through any more. */
  async cut(): Promise<void> {
    const { listener } = this;
    this.listener = undefined;
    const closed = new Promise((resolve) => listener?.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    if (listener !== undefined) await closed;
  }

  /** Whole again, at the same address. */
  async mend(): Promise<void> {
    const listener = createServer((socket) => this.join(socket));
    this.listener = listener;
    await new Promise<void>((resolve) => listener.listen(this.port, '127.0.0.1', resolve));
    this.port = (listener.address() as AddressInfo).port;
  }

  private join(near: Socket): void {
    const far = connect(Number(this.target.port), this.target.hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(socket);
      // A torn end tears the other one.
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.sockets.delete(socket);
        this.webSockets.delete(socket);
        other.destroy();
      });
    }
    near.on('data', (data) => this.notice(near, data));
    far.on('data', (data) => (this.received += data.length));
    near.pipe(far).pipe(near);
  }

  private notice(near: Socket, data: Buffer): void {
    const [line] = data.toString('latin1', 0, 64).split('\r\n', 1);
    if (line?.startsWith('GET /v1/sync') === true) this.polls += 1;
    if (line?.startsWith('GET /v1/ws') !== true) return;
    if (this.refusesWebSockets) near.destroy();
    else this.webSockets.add(near);
  }
}
