/** The entry of the `SharedWorker`: owns the engine for all tabs of a browser. */

import { placeOf, type Opening } from '../engine/opening.js';
import { platform } from '../platform.js';
import { hasLocks, hold, mourn, type Hold } from './life.js';
import { wayOver } from './messages.js';
import { Owner } from './owner.js';

/** A worker of another version has the same database: whoever came last owns it. */
async function claim(opening: Opening): Promise<void> {
  if (!hasLocks()) return;
  held?.release();
  held = await hold(placeOf(opening), true);
  void held.lost.then(() => owner.retire('replaced'));
}

let held: Hold | undefined;

const owner = new Owner(platform, mourn, { claim });

(globalThis as unknown as { onconnect: (event: MessageEvent) => void }).onconnect = ({ ports }) => {
  if (ports[0]) owner.serve(wayOver(ports[0]));
};
