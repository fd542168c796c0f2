/** The database of a browser: its version, its stores, how they are made. Apart from the store, since a first log-in makes it. */

/** The version of the schema; whatever is stored is as this version wrote it. */
export const VERSION = 1;

/** A store of the database. */
export type Name =
  'meta' | 'conversations' | 'details' | 'entries' | 'ownItems' | 'wantedValues' | 'profiles' | 'outbox';

/** All of them. */
export const NAMES: Name[] = [
  'meta',
  'conversations',
  'details',
  'entries',
  'ownItems',
  'wantedValues',
  'profiles',
  'outbox',
];

/** The part of a database that makes stores. */
interface Making {
  createObjectStore(
    name: Name,
    options?: { keyPath: string[] },
  ): { createIndex(name: 'acts', path: string[]): unknown };
}

/** Makes the stores of a new database. */
export function make(database: Making): void {
  for (const name of NAMES) {
    if (name !== 'entries') database.createObjectStore(name);
  }
  const entries = database.createObjectStore('entries', { keyPath: ['conversation', 'seq'] });
  entries.createIndex('acts', ['conversation', 'actsOn']);
}
