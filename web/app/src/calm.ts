// Values that change faster than anybody can look: told at once after a pause, but not more often than makes sense.
import type { Live } from '@suda/client';

/** Part of what Svelte wants of a store. */
export interface Calm<T> {
  /** Tells the value now and after changes, the last one always; returns how to stop. */
  subscribe(listener: (value: T) => void): () => void;
}

/** Tells changes of a value at most once in so many milliseconds; those in between are left out. */
export function calm<T>(live: Pick<Live<T>, 'subscribe'>, milliseconds: number): Calm<T> {
  return {
    subscribe(listener) {
      let told = -Infinity;
      let timer: ReturnType<typeof setTimeout> | undefined;
      let isFirst = true;
      let latest: T;
      const tell = (): void => {
        timer = undefined;
        told = performance.now();
        listener(latest);
      };
      const stop = live.subscribe((value) => {
        latest = value;
        if (isFirst) {
          // What is there at once is often empty; what follows shall not wait for it.
          isFirst = false;
          listener(value);
          return;
        }
        if (timer !== undefined) return;
        const wait = told + milliseconds - performance.now();
        if (wait <= 0) tell();
        else timer = setTimeout(tell, wait);
      });
      return () => {
        clearTimeout(timer);
        stop();
      };
    },
  };
}
