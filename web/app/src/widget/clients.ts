// The clients of the widgets on a page: one for each server, however many conversations are shown.
import { openEarly, type Opened } from '@suda/client/early';

import { deviceOf } from '../entrance/device';

/** Hands over a JWT of the app's backend, for the user on this page. */
export type TokenSource = () => string | Promise<string>;

/** A client that widgets share. */
export interface Shared {
  readonly opening: Promise<Opened>;
  /** Holds on to the same client once more. */
  again(): Shared;
  /** To be called once by each holder when it is gone; the last one lets go of the connection. */
  release(): void;
}

/** One client and how many hold on to it. */
interface Held {
  server: string;
  token: TokenSource;
  holders: number;
  opening: Promise<Opened>;
}

const present = new Map<string, Held>();

/** The client for a server; opened for the first widget, or anew where another token stands for another user. */
export function share(server: string, token: TokenSource): Shared {
  const before = present.get(server);
  if (before?.token === token) return hold(before);
  const one = { server, token, holders: 0, opening: enter(server, token) };
  present.set(server, one);
  // Whoever asks after a failure tries again.
  one.opening.catch(() => forget(one));
  return hold(one);
}

function hold(one: Held): Shared {
  one.holders += 1;
  return { opening: one.opening, again: () => hold(one), release: () => release(one) };
}

function release(one: Held): void {
  one.holders -= 1;
  if (one.holders > 0) return;
  forget(one);
  one.opening.then(
    ({ client }) => client.close(),
    () => undefined,
  );
}

function forget(one: Held): void {
  if (present.get(one.server) === one) present.delete(one.server);
}

/** Logs the user in whom the token names; another user's connection, cache and login are out of reach. */
async function enter(server: string, token: TokenSource): Promise<Opened> {
  const first = await token();
  let fresh: string | undefined = first;
  const jwt = async (): Promise<string> => {
    const next = fresh ?? (await token());
    fresh = undefined;
    return next;
  };
  return openEarly({
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
