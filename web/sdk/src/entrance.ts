/** Ways to a client: sign-up, log-in, recovery, and opening what is logged in already. */

import type { Client, LogInOptions, OpenOptions } from './api.js';
import { PageClient } from './client/client.js';
import { Mirror } from './client/mirror.js';
import type { Delta } from './engine/delta.js';
import { placeOf } from './engine/opening.js';
import { Failure } from './errors.js';
import { platform } from './platform.js';
import { openingOf, sharingOf } from './share/sharing.js';
import { tie } from './share/place.js';
import { endLogin as sayFarewell, Rest } from './transport/rest.js';
import type { LoggedIn } from './wire.js';

/** Opens a client. Waits for the server only where nothing is cached; fails as REST calls do. */
export async function open(options: OpenOptions): Promise<Client> {
  const { credential } = options;
  const sharing = sharingOf(options);
  const opening = openingOf(options, sharing);
  const early: Delta[] = [];
  let begin = (): void => undefined;
  const isTold = new Promise<void>((resolve) => (begin = resolve));
  const told = (delta: Delta): void => {
    early.push(delta);
    begin();
  };
  const listening = { told, taken: (): void => undefined };
  const jwt = credential.kind === 'app' ? credential.jwt : noJwt;
  const { asking, close } = await tie(sharing, opening, jwt, listening);
  const me = await asking.opened.catch((failure: unknown) => {
    close();
    throw failure;
  });
  // Everything that is cached follows at once: nobody shall see an empty list before it.
  await isTold;
  const mirror = new Mirror(me, asking.calls);
  const client = new PageClient(asking.calls, mirror, platform, close);
  listening.told = (delta) => mirror.apply(delta);
  listening.taken = () => client.taken();
  early.forEach((delta) => mirror.apply(delta));
  return client;
}

/** Makes an account and logs this device in. */
export function signUp(
  account: { name: string; password: string; displayName?: string; invite?: string },
  options: LogInOptions = {},
): Promise<LoggedIn> {
  const { name, password, displayName, invite } = account;
  return enter('/v1/accounts', options, {
    name,
    password,
    ...(displayName !== undefined && { display_name: displayName }),
    ...(invite !== undefined && { invite }),
  });
}

/** Logs this device in. */
export function logIn(
  { name, password }: { name: string; password: string },
  options: LogInOptions = {},
): Promise<LoggedIn> {
  return enter('/v1/login', options, { name, password });
}

/** Sets a new password with a recovery code; every other device is logged out. */
export function recover(
  account: { name: string; recoveryCode: string; newPassword: string },
  options: LogInOptions = {},
): Promise<LoggedIn> {
  const { name, recoveryCode, newPassword } = account;
  return enter('/v1/login/recovery', options, {
    name,
    recovery_code: recoveryCode,
    new_password: newPassword,
  });
}

/**
 * Ends the cookie's login without a client, after a log-out that did not reach the server: forgets what is cached, and
 * resolves with whether the server knows of it now. Fails where the server refuses.
 */
export function endLogin({ server = '' }: { server?: string } = {}): Promise<boolean> {
  if ('indexedDB' in globalThis) indexedDB.deleteDatabase(placeOf({ server, key: { kind: 'cookie' } }));
  return sayFarewell(new Rest(platform, server, { kind: 'cookie' }));
}

function enter(path: string, options: LogInOptions, body: object): Promise<LoggedIn> {
  const rest = new Rest(platform, options.server ?? '', { kind: options.cookie ? 'cookie' : 'none' });
  const device = options.device ?? { name: '', platform: 'web' };
  return rest.call<LoggedIn>('POST', path, { ...body, device });
}

function noJwt(): Promise<string> {
  return Promise.reject(new Failure('unauthenticated', 'There is no token.'));
}
