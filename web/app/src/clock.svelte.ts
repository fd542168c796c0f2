// The time of day for texts such as "5 minutes ago": one timer for all of them, only while somebody shows one.
import { createSubscriber } from 'svelte/reactivity';

const STEP_MILLISECONDS = 20_000;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(update, STEP_MILLISECONDS);
  return () => clearInterval(timer);
});

/** Milliseconds since 1970; reactive, a little behind at most. */
export function now(): number {
  subscribe();
  return Date.now();
}
