// The time, as far as words like "yesterday" and "5 minutes ago" need it: it moves on once a minute.
import { createSubscriber } from 'svelte/reactivity';

const MINUTE = 60_000;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, MINUTE);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970, this device's clock; what reads it is told again every minute. */
export function now(): number {
  subscribe();
  return Date.now();
}
