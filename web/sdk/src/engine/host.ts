/** An engine and the pages around it: opened from what is cached, or by asking the server who this is. */

import { sha256 } from '../core/sha256.js';
import type { Platform } from '../platform.js';
import type { Kept, Session, Store } from '../store/contract.js';
import { IndexedDbStore } from '../store/indexeddb.js';
import { Rest, type Proof } from '../transport/rest.js';
import type { OwnAccount } from '../wire.js';
import { Desk, Room } from './desk.js';
import { Engine, type Renewed } from './engine.js';
import { exchange } from './exchange.js';
import { placeOf, type Jwt, type Key, type Opening } from './opening.js';
import type { Audience } from './outlet.js';

/** How long a page waits to hear whose cookie it has, in milliseconds, while an engine runs already. */
const WHO_WITHIN_MS = 2_000;

/** One engine with its pages. */
export class Host {
  private readonly room: Room;

  private constructor(private readonly engine: Engine) {
    this.room = new Room(engine);
  }

  /** Opens it. Waits for the server only where nothing is cached of this login; fails as REST calls do. */
  static async open(platform: Platform, opening: Opening, jwt: Jwt): Promise<Host> {
    const store = await storeFor(opening);
    try {
      const login = new Login(platform, opening, store, jwt);
      const { session, kept, rest } = await login.begin();
      const renew = opening.key.kind === 'app' ? () => login.renew() : undefined;
      if (opening.key.kind === 'app' && opening.storage === 'indexeddb') await dropOthers(opening);
      const engine = new Engine({ platform, rest, store, session, kept, ...(renew && { renew }) });
      engine.enqueue(() => engine.start());
      return new Host(engine);
    } catch (failure) {
      await store.close();
      throw failure;
    }
  }

  /** The own account. */
  get account(): OwnAccount {
    return this.engine.session.account;
  }

  /** Whether it does nothing any more, so that whoever comes next needs another one. */
  get isOver(): boolean {
    const { state } = this.engine.contact.state;
    return this.engine.hasEnded || state === 'logged_out' || state === 'stopped';
  }

  /**
   * Whether this engine belongs to that login. A cookie may be another account's by now, so the server is asked, unless
   * it cannot be reached: then the engine goes on, and finds out when it can.
   */
  async isFor({ key }: Opening): Promise<boolean> {
    const { engine } = this;
    if (engine.session.fingerprint !== fingerprintOf(key)) return false;
    if (key.kind !== 'cookie') return true;
    const { account } = await engine.rest
      .call<OwnAccount>('GET', '/v1/account', undefined, WHO_WITHIN_MS)
      .catch(() => engine.session.account);
    if (account === engine.me) return true;
    await engine.call(() => engine.contact.meetAnother()).catch(() => undefined);
    return false;
  }

  /** A page comes. */
  desk(deliver: Audience['deliver']): Desk {
    return new Desk(this.engine, this.room, deliver);
  }

  /** Ends the engine; pages are told `reason` where another took its place. */
  async end(reason?: string): Promise<void> {
    if (reason !== undefined) this.engine.contact.stop(reason);
    await this.engine.end();
  }
}

/** Drops what the app's other users left in this browser, their logins above all; where they can be listed. */
async function dropOthers(opening: Opening): Promise<void> {
  const { server, key } = opening;
  if (key.kind !== 'app' || key.user === undefined || !('databases' in indexedDB)) return;
  const users = `${placeOf({ server, key: { kind: 'app' } })} `;
  const present = await indexedDB.databases().catch(() => []);
  for (const { name } of present) {
    if (name?.startsWith(users) && name !== placeOf(opening)) indexedDB.deleteDatabase(name);
  }
}

async function storeFor(opening: Opening): Promise<Store> {
  if (opening.storage === 'memory') return inMemory();
  try {
    return await IndexedDbStore.open(placeOf(opening));
  } catch {
    // Some browsers have none in private windows: everything works, but is gone with the page.
    return inMemory();
  }
}

async function inMemory(): Promise<Store> {
  const { MemoryStore } = await import('../store/memory.js');
  return new MemoryStore();
}

/** Finds out whose login this is, and keeps apart what belongs to another account. */
class Login {
  private readonly rest: Rest;

  constructor(
    platform: Platform,
    private readonly opening: Opening,
    private readonly store: Store,
    private readonly jwt: Jwt,
  ) {
    this.rest = new Rest(platform, opening.server, { kind: 'none' });
  }

  async begin(): Promise<{ session: Session; kept: Kept; rest: Rest }> {
    const kept = await this.store.load();
    const { key } = this.opening;
    const known = kept.session?.fingerprint === fingerprintOf(key) ? kept.session : undefined;
    if (known && key.kind !== 'app') return { session: known, kept, rest: this.rest.with(proofOf(key)) };
    if (known?.token !== undefined) return { session: known, kept, rest: this.proven(known.token) };
    const session = key.kind === 'app' ? await this.exchange() : await this.ask(proofOf(key));
    const rest = session.token === undefined ? this.rest.with(proofOf(key)) : this.proven(session.token);
    return { session, kept: await this.keep(session, kept), rest };
  }

  /** Exchanges a new JWT; whose account it is, and whether it is kept, is for the engine. */
  async renew(): Promise<Renewed> {
    const session = await this.exchange();
    return { session, rest: this.proven(session.token ?? '') };
  }

  private async ask(proof: Proof): Promise<Session> {
    const account = await this.rest.with(proof).call<OwnAccount>('GET', '/v1/account');
    return { account, fingerprint: fingerprintOf(this.opening.key) };
  }

  private exchange(): Promise<Session> {
    return exchange(this.rest, this.opening.device, this.jwt);
  }

  /** The same account keeps what it had, above all its outbox; another one finds nothing. */
  private async keep(session: Session, kept: Kept): Promise<Kept> {
    const isSame = kept.session?.account.account === session.account.account;
    // A resume token is the device's own, and this login may be another device.
    const { ownEpoch, ownSeq, nextWindow } = kept.progress;
    const progress = { ownEpoch, ownSeq, ...(nextWindow !== undefined && { nextWindow }) };
    await this.store.write([
      isSame ? { what: 'progress', progress } : { what: 'wipe' },
      { what: 'session', session },
    ]);
    return this.store.load();
  }

  private proven(token: string): Rest {
    return this.rest.with({ kind: 'token', token });
  }
}

function proofOf(key: Key): Proof {
  if (key.kind === 'cookie') return { kind: 'cookie' };
  return key.kind === 'token' ? { kind: 'token', token: key.token } : { kind: 'none' };
}

/** Tells logins apart without keeping a token that the app keeps itself. */
function fingerprintOf(key: Key): string {
  if (key.kind !== 'token') return key.kind;
  const digest = sha256(new TextEncoder().encode(key.token));
  return Array.from(digest.slice(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
