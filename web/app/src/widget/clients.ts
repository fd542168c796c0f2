// The clients of the widgets on a page: one for each server, however many conversations are shown.
import { open, type Client } from '@suda/client';

import { deviceOf } from '../entrance/device';

/** Hands over a JWT of the app's backend, for the user on this page. */
export type TokenSource = () => string | Promise<string>;

/** A client that widgets share. */
export interface Shared {
  readonly opening: Promise<Client>;
  /** To be called once by each widget when it is gone; the last one lets go of the connection. */
  release(): void;
}

const shared = new Map<string, { token: TokenSource; users: number; opening: Promise<Client> }>();

/** The client for a server; opened for the first widget, or anew where another token stands for another user. */
export function share(server: string, token: TokenSource): Shared {
  const present = shared.get(server);
  const one = present?.token === token ? present : { token, users: 0, opening: enter(server, token) };
  one.users += 1;
  shared.set(server, one);
  const forget = (): void => {
    if (shared.get(server) === one) shared.delete(server);
  };
  // Whoever asks after a failure tries again.
  one.opening.catch(forget);
  return {
    opening: one.opening,
    release() {
      one.users -= 1;
      if (one.users > 0) return;
      forget();
      one.opening.then(
        (client) => client.close(),
        () => undefined,
      );
    },
  };
}

/** Logs the user in whom the token names; another user's connection, cache and login are out of reach. */
async function enter(server: string, token: TokenSource): Promise<Client> {
  const first = await token();
  let fresh: string | undefined = first;
  const jwt = async (): Promise<string> => {
    const next = fresh ?? (await token());
    fresh = undefined;
    return next;
  };
  return open({
    server,
    credential: { kind: 'app', jwt, user: userOf(first) },
    device: deviceOf(navigator.userAgent),
  });
}

/** Whom a JWT names; the server checks it, here it only keeps users apart. */
function userOf(jwt: string): string {
  try {
    const payload = (jwt.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (letter) => letter.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return String(claims.sub);
  } catch {
    return '';
  }
}
