/**
 * The first log-in of an app's user in a browser, made before there is an engine: it is kept where the engine looks for
 * logins, which then goes on with the same device.
 */

import { exchange } from '../engine/exchange.js';
import { placeOf, type Jwt, type Opening } from '../engine/opening.js';
import { hold } from '../share/life.js';
import type { Platform } from '../platform.js';
import type { Session } from '../store/contract.js';
import { make, VERSION } from '../store/schema.js';
import { Rest } from '../transport/rest.js';
import type { OwnAccount } from '../wire.js';

/** A login, and calls in its name. */
export interface Entered {
  account: OwnAccount;
  rest: Rest;
}

/**
 * Logs in and keeps it; absent where this browser has a login already, or cannot keep one: then an engine opens at once.
 * Fails as REST calls do.
 */
export async function enterFirst(
  platform: Platform,
  opening: Opening,
  jwt: Jwt,
): Promise<Entered | undefined> {
  // Tabs that open together make one device.
  const turn = await hold(`${placeOf(opening)} login`);
  const database = await opened(placeOf(opening)).catch(() => undefined);
  try {
    if (!database || (await kept(database)) !== undefined) return undefined;
    const rest = new Rest(platform, opening.server, { kind: 'none' });
    const session = await exchange(rest, opening.device, jwt);
    const { account, token } = session;
    if (token === undefined) return undefined;
    await keep(database, session);
    return { account, rest: rest.with({ kind: 'token', token }) };
  } finally {
    database?.close();
    turn.release();
  }
}

/** The store's database, as the engine will open it. */
function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, VERSION);
    opening.onupgradeneeded = () => make(opening.result);
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error ?? new Error('no database'));
  });
}

function kept(database: IDBDatabase): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = database.transaction('meta').objectStore('meta').get('session');
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error ?? new Error('no answer'));
  });
}

function keep(database: IDBDatabase, session: Session): Promise<void> {
  return new Promise((resolve, reject) => {
    const changing = database.transaction('meta', 'readwrite');
    changing.objectStore('meta').put(session, 'session');
    changing.oncomplete = () => resolve();
    changing.onabort = () => reject(changing.error ?? new Error('not kept'));
  });
}
