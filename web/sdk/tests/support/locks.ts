/** What tabs of a browser share and Node 20 lacks: Web Locks, and channels that stand still while a tab is frozen. */

interface Holder {
  granted: () => Promise<void>;
  done: () => void;
  stolen: (reason: Error) => void;
}

/** Web Locks, as far as exclusive ones go. */
export class Locks {
  private readonly queues = new Map<string, Holder[]>();

  request(name: string, { steal }: { steal?: boolean }, granted: () => Promise<void>): Promise<void> {
    return new Promise((done, stolen) => {
      const holder = { granted, done, stolen };
      const queue = this.queues.get(name) ?? [];
      this.queues.set(name, queue);
      if (steal) queue.shift()?.stolen(new Error('stolen'));
      if (steal) queue.unshift(holder);
      else queue.push(holder);
      if (queue[0] === holder) this.grant(queue, holder);
    });
  }

  private grant(queue: Holder[], holder: Holder): void {
    void Promise.resolve()
      .then(() => holder.granted())
      .then(() => {
        holder.done();
        if (queue[0] !== holder) return;
        queue.shift();
        const next = queue[0];
        if (next) this.grant(queue, next);
      });
  }
}

/** A `BroadcastChannel`; what comes for a frozen one waits. */
export class Channel {
  static newest: Channel;
  private static readonly all = new Set<Channel>();
  onmessage: (event: { data: unknown }) => void = () => undefined;
  private isFrozen = false;
  private waiting: unknown[] = [];

  constructor(private readonly name: string) {
    Channel.newest = this;
    Channel.all.add(this);
  }

  postMessage(data: unknown): void {
    if (!Channel.all.has(this)) throw new Error('the channel is closed');
    const copy = structuredClone(data);
    for (const channel of Channel.all) {
      if (channel !== this && channel.name === this.name) setImmediate(() => channel.take(copy));
    }
  }

  freeze(): void {
    this.isFrozen = true;
  }

  thaw(): void {
    this.isFrozen = false;
    this.waiting.splice(0).forEach((data) => this.take(data));
  }

  close(): void {
    Channel.all.delete(this);
  }

  private take(data: unknown): void {
    if (!Channel.all.has(this)) return;
    if (this.isFrozen) this.waiting.push(data);
    else this.onmessage({ data });
  }
}
