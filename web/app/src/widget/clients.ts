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

function enter(server: string, token: TokenSource): Promise<Client> {
  return open({
    server,
    credential: { kind: 'app', jwt: async () => token() },
    device: deviceOf(navigator.userAgent),
  });
}
