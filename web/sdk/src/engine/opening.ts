/** What an engine is opened with. Apart from the engine, so that a page that only asks one does not load it. */

import type { NewDevice } from '../wire.js';

/** How a device proves who it is, as it can be told to another thread. */
export type Key = { kind: 'cookie' } | { kind: 'token'; token: string } | { kind: 'app'; user?: string };

/** What a client is opened with, as it can be told to another thread. */
export interface Opening {
  server: string;
  key: Key;
  device: NewDevice;
  storage: 'indexeddb' | 'memory';
}

/** Gets a JWT from the app's backend. */
export type Jwt = () => Promise<string>;

/** The name of a login's place in this browser: its cache, its lock, its channel. Each user of an app has an own one. */
export function placeOf({ server, key }: Pick<Opening, 'server' | 'key'>): string {
  const place = server === '' ? 'suda' : `suda ${server}`;
  return key.kind === 'app' && key.user !== undefined ? `${place} ${key.user}` : place;
}
