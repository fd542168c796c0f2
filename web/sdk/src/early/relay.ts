/** A value that is told from one source at first and from another one later. */

import { changes } from '../client/live.js';
import type { Live } from '../model.js';

interface Listening<T> {
  listener: (value: T) => void;
  stop: () => void;
}

/** Whoever listens notices the change of sources by nothing but the value. */
export class Relay<T> implements Live<T> {
  private readonly listening = new Set<Listening<T>>();

  constructor(private source: Live<T>) {}

  get value(): T {
    return this.source.value;
  }

  subscribe(listener: (value: T) => void): () => void {
    const one: Listening<T> = { listener, stop: () => undefined };
    this.listening.add(one);
    one.stop = this.source.subscribe(listener);
    return () => {
      one.stop();
      this.listening.delete(one);
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return changes(this);
  }

  /** From now on it is told from there. */
  follow(source: Live<T>): void {
    if (source === this.source) return;
    this.source = source;
    [...this.listening].forEach((one) => {
      const { stop } = one;
      one.stop = source.subscribe(one.listener);
      stop();
    });
  }

  /** Follows a source as soon as that has something to tell: until then what was told before is better than nothing. */
  followOnce(source: Live<T>, isThere: (value: T) => boolean): Promise<void> {
    return new Promise((resolve) => {
      // The first value is told before there is a way to stop.
      let isOver = false;
      const stop = source.subscribe((value) => {
        if (isOver || !isThere(value)) return;
        isOver = true;
        this.follow(source);
        queueMicrotask(() => stop());
        resolve();
      });
    });
  }
}
