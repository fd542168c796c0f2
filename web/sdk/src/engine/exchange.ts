/** How an app's user logs in: a JWT of the app's backend for a token of a new device. */

import { Failure } from '../errors.js';
import type { Session } from '../store/contract.js';
import type { Rest } from '../transport/rest.js';
import type { LoggedIn, NewDevice } from '../wire.js';
import type { Jwt } from './opening.js';

/** Makes a login; fails as REST calls do. */
export async function exchange(rest: Rest, device: NewDevice, jwt: Jwt): Promise<Session> {
  const signed = await jwt().catch(() => {
    throw new Failure('unreachable', "The app's backend gives no token.");
  });
  const { account, token } = await rest.call<LoggedIn>('POST', '/v1/login/app', { jwt: signed, device });
  return { account, fingerprint: 'app', ...(token !== undefined && { token }) };
}
