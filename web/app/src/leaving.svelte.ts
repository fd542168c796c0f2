// Log-out of this browser. The cookie is out of reach of scripts and stays valid until the server has heard of the log-out,
// so one that did not arrive is remembered and repeated, and nobody gets in by that cookie meanwhile.
import { endLogin, type Client } from '@suda/client';

import { LEAVING } from './glimpse/glimpse';

/** How long until it is tried again where no event says that the network is back, in milliseconds. */
const AGAIN_MILLISECONDS = 5_000;

const isMarked = (): boolean => localStorage.getItem(LEAVING) !== null;

let leaving = $state.raw(isMarked());

/** Whether the server has not heard of a log-out yet; reactive. */
export function isLeaving(): boolean {
  return leaving;
}

/** Logs out. Without the server only this browser forgets, and the rest is left to `finishLeaving`. */
export async function leaveClient(client: Client): Promise<void> {
  // The page may be closed before the answer is there.
  mark(true);
  let isTold = true;
  try {
    isTold = await client.logOut();
  } finally {
    if (isTold) mark(false);
  }
}

/** Tells the server of a log-out that it has not heard of; resolves with whether nothing of that is left to do. */
export async function finishLeaving(): Promise<boolean> {
  if (!isMarked()) {
    leaving = false;
    return true;
  }
  return alone(async () => {
    // Another tab may have done it, and somebody may have logged in there since.
    if (isMarked() && !(await endLogin().catch(() => false))) return false;
    mark(false);
    return true;
  });
}

/** Repeats a log-out until the server has answered; returns how to give that up. */
export function keepLeaving(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isOver = false;
  const again = (): void => {
    clearTimeout(timer);
    void finishLeaving().then((isDone) => {
      if (!isDone && !isOver) timer = setTimeout(again, AGAIN_MILLISECONDS);
    });
  };
  again();
  addEventListener('online', again);
  return () => {
    isOver = true;
    clearTimeout(timer);
    removeEventListener('online', again);
  };
}

function mark(on: boolean): void {
  if (on) localStorage.setItem(LEAVING, '1');
  else localStorage.removeItem(LEAVING);
  leaving = on;
}

/** One tab at a time: a log-out that is repeated late would end the next login. */
function alone(act: () => Promise<boolean>): Promise<boolean> {
  return 'locks' in navigator ? navigator.locks.request(LEAVING, act) : act();
}
