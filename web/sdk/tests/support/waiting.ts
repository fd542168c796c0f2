/** Waiting for evidence: until a live value or an event is as expected. */

import type { Client, Live, SudaEvent } from '../../src/index.js';

/** How long a test waits for what must come, in milliseconds. */
const PATIENCE_MS = 15_000;

/** The first value that fits; fails with what was there instead. */
export function until<T>(live: Live<T>, fits: (value: T) => boolean, patience = PATIENCE_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const after: (() => void)[] = [];
    const timer = setTimeout(() => {
      after.forEach((act) => act());
      reject(
        new Error(
          `this did not come: ${fits.toString()}; instead: ${JSON.stringify(live.value).slice(0, 2_000)}`,
        ),
      );
    }, patience);
    let isDone = false;
    const stop = live.subscribe((value) => {
      if (isDone || !fits(value)) return;
      isDone = true;
      clearTimeout(timer);
      after.forEach((act) => act());
      resolve(value);
    });
    after.push(stop);
    if (isDone) stop();
  });
}

/** The first event of a type that fits. */
export function event<T extends SudaEvent['type']>(
  client: Client,
  type: T,
  fits: (event: Extract<SudaEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<SudaEvent, { type: T }>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no event ${type} came`)), PATIENCE_MS);
    const stop = client.on(type, (one) => {
      if (!fits(one)) return;
      clearTimeout(timer);
      stop();
      resolve(one);
    });
  });
}
