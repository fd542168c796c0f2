/** A store in the browser's IndexedDB. */

import { openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from 'idb';

import type { Wanted } from '../core/conversation.js';
import { isAct, type CachedEntry } from '../core/standing.js';
import { isShown } from '../core/view.js';
import type { ClientId, Contact, ConversationId, Detail, Limits, OwnItem, Profile } from '../wire.js';
import type { Held, Kept, Placed, Progress, Session, Store, WantedValue, Write } from './contract.js';
import { make, NAMES, VERSION, type Name } from './schema.js';

/** A lookup of more numbers than this reads the stretch that they lie in, where it is not much longer. */
const FEW = 4;

/** An entry with what it is found by. */
interface Row {
  conversation: ConversationId;
  seq: number;
  /** What it edits, deletes or reacts to. */
  actsOn?: number;
  entry: CachedEntry;
}

interface Schema extends DBSchema {
  /** Single values by name. */
  meta: { key: string; value: Meta };
  conversations: { key: ConversationId; value: Held };
  details: { key: ConversationId; value: Detail };
  entries: { key: [ConversationId, number]; value: Row; indexes: { acts: [ConversationId, number] } };
  ownItems: { key: string; value: OwnItem };
  wantedValues: { key: string; value: WantedValue };
  profiles: { key: string; value: Profile };
  outbox: { key: ClientId; value: Placed };
}

type Meta = Session | Progress | Limits | readonly Contact[];
type Changing = IDBPTransaction<Schema, Name[], 'readwrite'>;

/** Where each write goes. */
const PLACES: Readonly<Record<Write['what'], readonly Name[]>> = {
  session: ['meta'],
  progress: ['meta'],
  limits: ['meta'],
  contacts: ['meta'],
  conversation: ['conversations'],
  detail: ['details'],
  entries: ['entries'],
  drop_below: ['entries'],
  own_items: ['ownItems'],
  clear_own_items: ['ownItems'],
  wanted_value: ['wantedValues'],
  forget_value: ['wantedValues'],
  profiles: ['profiles'],
  outbox: ['outbox'],
  outbox_remove: ['outbox'],
  wipe: NAMES,
};

/** Everything in one database. */
export class IndexedDbStore implements Store {
  private constructor(private readonly database: IDBPDatabase<Schema>) {}

  /** Opens or makes the database of this name. Fails where the browser refuses, or a newer version wrote it. */
  static async open(name: string): Promise<IndexedDbStore> {
    const database = await openDB<Schema>(name, VERSION, {
      upgrade: (made) => make(made as unknown as Parameters<typeof make>[0]),
      blocking(_current, _blocked, event) {
        // Another tab deletes the database, or a newer version wants to change it.
        (event.target as IDBDatabase).close();
      },
    });
    return new IndexedDbStore(database);
  }

  async load(): Promise<Kept> {
    const reading = this.database.transaction(NAMES);
    const [meta, conversations] = [reading.objectStore('meta'), reading.objectStore('conversations')];
    const [session, progress, limits, contacts, ids, held, ownItems, wantedValues, profiles, outbox] =
      await Promise.all([
        meta.get('session') as Promise<Session | undefined>,
        meta.get('progress') as Promise<Progress | undefined>,
        meta.get('limits') as Promise<Limits | undefined>,
        meta.get('contacts') as Promise<Contact[] | undefined>,
        conversations.getAllKeys(),
        conversations.getAll(),
        reading.objectStore('ownItems').getAll(),
        reading.objectStore('wantedValues').getAll(),
        reading.objectStore('profiles').getAll(),
        reading.objectStore('outbox').getAll(),
      ]);
    return {
      ...(session && { session }),
      ...(limits && { limits }),
      progress: progress ?? { ownEpoch: 0, ownSeq: 0 },
      conversations: ids
        .flatMap((id, index) => (held[index] ? [[id, held[index]] as const] : []))
        .map((one) => [...one]),
      ownItems,
      wantedValues,
      profiles,
      contacts: contacts ?? [],
      outbox: outbox.sort((one, other) => one.place - other.place),
    };
  }

  async slice(conversation: ConversationId, { seqs, actsOn }: Wanted): Promise<CachedEntry[]> {
    if (seqs.size === 0 && actsOn.size === 0) return [];
    const store = this.database.transaction('entries').store;
    const acts = store.index('acts');
    const [entries, others] = await Promise.all([
      lookedUp(seqs, (range) => store.getAll(range), conversation),
      lookedUp(actsOn, (range) => acts.getAll(range), conversation),
    ]);
    const found = new Map<number, CachedEntry>();
    entries.filter((row) => seqs.has(row.seq)).forEach((row) => found.set(row.seq, row.entry));
    others.filter((row) => actsOn.has(row.actsOn ?? 0)).forEach((row) => found.set(row.seq, row.entry));
    return [...found.values()];
  }

  async shown(
    conversation: ConversationId,
    from: number,
    to: number,
    limit: number,
    newest: boolean,
  ): Promise<CachedEntry[]> {
    const store = this.database.transaction('entries').store;
    let found: CachedEntry[] = [];
    let [first, last] = [from, to];
    // Most entries are shown, so a stretch of the size asked for holds most of what is wanted.
    for (let size = limit; first <= last && found.length < limit; size *= 2) {
      const [begin, end] = newest
        ? [Math.max(first, last - size + 1), last]
        : [first, Math.min(last, first + size - 1)];
      const rows = await store.getAll(IDBKeyRange.bound([conversation, begin], [conversation, end]));
      const shown = rows.map((row) => row.entry).filter((entry) => isShown(entry.entry));
      found = newest ? [...shown, ...found] : [...found, ...shown];
      if (newest) last = begin - 1;
      else first = end + 1;
    }
    return newest ? found.slice(-limit) : found.slice(0, limit);
  }

  detail(conversation: ConversationId): Promise<Detail | undefined> {
    return this.database.get('details', conversation);
  }

  async write(writes: readonly Write[]): Promise<void> {
    const names = [...new Set(writes.flatMap((write) => PLACES[write.what]))];
    if (names.length === 0) return;
    // What people wrote must survive a loss of power; everything else is read again.
    const durability = writes.some((write) => write.what === 'outbox') ? 'strict' : 'relaxed';
    const changing = this.database.transaction(names, 'readwrite', { durability });
    const changes = writes.flatMap((write) => apply(changing, write));
    await Promise.all([...changes, changing.done]);
  }

  close(): Promise<void> {
    this.database.close();
    return Promise.resolve();
  }
}

/** Rows of these numbers: one by one where they are few or far apart, else the stretch that they lie in. */
async function lookedUp(
  numbers: ReadonlySet<number>,
  get: (range: IDBKeyRange) => Promise<Row[]>,
  conversation: ConversationId,
): Promise<Row[]> {
  const [lowest, highest] = [Math.min(...numbers), Math.max(...numbers)];
  if (numbers.size > FEW && highest - lowest < numbers.size * FEW) {
    return get(IDBKeyRange.bound([conversation, lowest], [conversation, highest]));
  }
  const rows = await Promise.all([...numbers].map((seq) => get(IDBKeyRange.only([conversation, seq]))));
  return rows.flat();
}

function apply(changing: Changing, write: Write): Promise<unknown>[] {
  switch (write.what) {
    case 'session':
      return [changing.objectStore('meta').put(write.session, write.what)];
    case 'progress':
      return [changing.objectStore('meta').put(write.progress, write.what)];
    case 'limits':
      return [changing.objectStore('meta').put(write.limits, write.what)];
    case 'contacts':
      return [changing.objectStore('meta').put(write.contacts, write.what)];
    case 'conversation':
      return [changing.objectStore('conversations').put(write.held, write.conversation)];
    case 'detail':
      return [changing.objectStore('details').put(write.detail, write.conversation)];
    case 'entries':
      return write.entries.map((entry) =>
        changing.objectStore('entries').put(rowOf(write.conversation, entry)),
      );
    case 'drop_below': {
      const range = IDBKeyRange.bound([write.conversation, 0], [write.conversation, write.seq], false, true);
      return [changing.objectStore('entries').delete(range)];
    }
    case 'wipe':
      return NAMES.map((name) => changing.objectStore(name).clear());
    default:
      return applySmall(changing, write);
  }
}

function applySmall(changing: Changing, write: Write): Promise<unknown>[] {
  switch (write.what) {
    case 'own_items':
      return write.items.map((item) => changing.objectStore('ownItems').put(item, item.key));
    case 'clear_own_items':
      return [changing.objectStore('ownItems').clear()];
    case 'wanted_value':
      return [changing.objectStore('wantedValues').put(write.value, write.value.key)];
    case 'forget_value':
      return [changing.objectStore('wantedValues').delete(write.key)];
    case 'profiles':
      return write.profiles.map((profile) => changing.objectStore('profiles').put(profile, profile.account));
    case 'outbox':
      return [changing.objectStore('outbox').put(write.placed, write.placed.item.client_id)];
    case 'outbox_remove':
      return [changing.objectStore('outbox').delete(write.clientId)];
    default:
      return [];
  }
}

function rowOf(conversation: ConversationId, entry: CachedEntry): Row {
  const { seq, target } = entry.entry;
  return { conversation, seq, entry, ...(isAct(entry.entry) && target !== undefined && { actsOn: target }) };
}
