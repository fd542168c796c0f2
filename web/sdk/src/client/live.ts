/** Values that live: read, subscribed to, or iterated over. */

import type { Live } from '../model.js';

/** Tells everybody. What a listener throws is reported, and keeps nothing from those after it. */
export function tell<T>(listeners: Iterable<(told: T) => void>, told: T): void {
  for (const listener of [...listeners]) {
    try {
      listener(told);
    } catch (thrown) {
      report(thrown);
    }
  }
}

/** Where the app sees it: the console and `error` events of a page, `uncaughtException` in Node. */
function report(thrown: unknown): void {
  if ('reportError' in globalThis) globalThis.reportError(thrown);
  else
    queueMicrotask(() => {
      throw thrown;
    });
}

/** A value and those who want to know of its changes. */
export class Cell<T> implements Live<T> {
  private readonly listeners = new Set<(value: T) => void>();

  constructor(
    private present: T,
    /** Told when the first begins to listen and when the last stops. */
    private readonly wanted?: (isWanted: boolean) => void,
  ) {}

  get value(): T {
    return this.present;
  }

  /** Whether anybody listens. */
  get isWanted(): boolean {
    return this.listeners.size > 0;
  }

  /** Takes a new value and tells it, unless it is the same. */
  set(value: T): void {
    if (Object.is(value, this.present)) return;
    this.present = value;
    tell(this.listeners, value);
  }

  subscribe(listener: (value: T) => void): () => void {
    // The same function may subscribe twice.
    const own = (value: T): void => listener(value);
    this.listeners.add(own);
    if (this.listeners.size === 1) this.wanted?.(true);
    tell([own], this.present);
    return () => {
      if (this.listeners.delete(own) && this.listeners.size === 0) this.wanted?.(false);
    };
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return changes(this);
  }
}

/** The present value and those that follow; whoever is slow gets the newest, not every one between. */
export async function* changes<T>(live: Pick<Live<T>, 'value' | 'subscribe'>): AsyncGenerator<T> {
  let wake: () => void = () => undefined;
  let isNew = false;
  const stop = live.subscribe(() => {
    isNew = true;
    wake();
  });
  try {
    for (;;) {
      if (!isNew) await new Promise<void>((resolve) => (wake = resolve));
      isNew = false;
      yield live.value;
    }
  } finally {
    stop();
  }
}
