/** Events for apps: as callbacks by type, and as async iterators that hold a bounded number. */

import type { SudaEvent } from '../api.js';
import { tell } from './live.js';

/** How many events an iterator holds. */
const CAPACITY = 1_024;

type Listener = (event: SudaEvent) => void;

/** Tells events to whoever listens. */
export class Events {
  private readonly listeners = new Map<SudaEvent['type'], Set<Listener>>();
  private readonly queues = new Set<Queue>();

  tell(event: SudaEvent): void {
    this.queues.forEach((queue) => queue.push(event));
    tell(this.listeners.get(event.type) ?? [], event);
  }

  on<T extends SudaEvent['type']>(
    type: T,
    listener: (event: Extract<SudaEvent, { type: T }>) => void,
  ): () => void {
    const own: Listener = (event) => listener(event as Extract<SudaEvent, { type: T }>);
    const listeners = this.listeners.get(type) ?? new Set();
    this.listeners.set(type, listeners.add(own));
    return () => listeners.delete(own);
  }

  iterate(): AsyncIterableIterator<SudaEvent> {
    const queue = new Queue(() => this.queues.delete(queue));
    this.queues.add(queue);
    return queue;
  }

  /** Ends every iterator. */
  end(): void {
    this.queues.forEach((queue) => void queue.return());
    this.listeners.clear();
  }
}

class Queue implements AsyncIterableIterator<SudaEvent> {
  private events: SudaEvent[] = [];
  private waiting: ((result: IteratorResult<SudaEvent>) => void)[] = [];
  private isOver = false;

  constructor(private readonly ended: () => void) {}

  push(event: SudaEvent): void {
    const next = this.waiting.shift();
    if (next) next({ value: event, done: false });
    else if (this.events.length < CAPACITY) this.events.push(event);
    else this.events = [{ type: 'lagged' }, event];
  }

  next(): Promise<IteratorResult<SudaEvent>> {
    const event = this.events.shift();
    if (event) return Promise.resolve({ value: event, done: false });
    if (this.isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  return(): Promise<IteratorResult<SudaEvent>> {
    this.isOver = true;
    this.ended();
    this.waiting.forEach((resolve) => resolve({ value: undefined, done: true }));
    this.waiting = [];
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
