// Sign-up, log-in and recovery of this browser: with the cookie, so that no script ever holds the token.
import { logIn, recover, signUp, type LoggedIn, type LogInOptions } from '@suda/client';

import { finishLeaving } from '../leaving.svelte';
import { deviceOf } from './device';

const options = (): LogInOptions => ({ cookie: true, device: deviceOf(navigator.userAgent) });

/** The next login takes the cookie's place, so the one before must be over: it could never be ended again. */
async function next(enter: () => Promise<LoggedIn>): Promise<LoggedIn> {
  if (!(await finishLeaving())) throw new StillLeaving();
  return enter();
}

/** The server has not heard of the log-out before. */
class StillLeaving extends Error {
  /** As the SDK's errors have it. */
  readonly code = 'unreachable';
}

/** The ways in. Each fails with an error of the SDK, or `unreachable` while a log-out is not finished. */
export const enter = {
  signUp: (account: Parameters<typeof signUp>[0]) => next(() => signUp(account, options())),
  logIn: (account: Parameters<typeof logIn>[0]) => next(() => logIn(account, options())),
  recover: (account: Parameters<typeof recover>[0]) => next(() => recover(account, options())),
};
