// Sign-up, log-in and recovery of this browser: with the cookie, so that no script ever holds the token.
import { logIn, recover, signUp, type LoggedIn, type LogInOptions } from '@suda/client';

import { deviceOf } from './device';

const options = (): LogInOptions => ({ cookie: true, device: deviceOf(navigator.userAgent) });

/** The ways in. Each fails with an error of the SDK. */
export const enter = {
  signUp: (account: Parameters<typeof signUp>[0]): Promise<LoggedIn> => signUp(account, options()),
  logIn: (account: Parameters<typeof logIn>[0]): Promise<LoggedIn> => logIn(account, options()),
  recover: (account: Parameters<typeof recover>[0]): Promise<LoggedIn> => recover(account, options()),
};
