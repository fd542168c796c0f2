/** Ways to a client: sign-up, log-in, recovery, and opening what is logged in already. */

import type { Client, Credential, LogInOptions, OpenOptions } from './api.js';
import { Desk, Room } from './engine/desk.js';
import type { Delta } from './engine/delta.js';
import { Engine } from './engine/engine.js';
import { PageClient } from './client/client.js';
import { Mirror } from './client/mirror.js';
import { platform } from './platform.js';
import type { Kept, Session, Store } from './store/contract.js';
import { MemoryStore } from './store/memory.js';
import { Rest, type Proof } from './transport/rest.js';
import type { LoggedIn, OwnAccount } from './wire.js';

/** Opens a client. Waits for the server only where nothing is cached; fails as REST calls do. */
export async function open(options: OpenOptions): Promise<Client> {
  const rest = new Rest(platform, options.server ?? '', proofOf(options.credential));
  const store: Store = new MemoryStore();
  const kept = await store.load();
  const session = kept.session ?? (await begin(rest, store));
  return direct(rest, store, session, kept);
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

function enter(path: string, options: LogInOptions, body: object): Promise<LoggedIn> {
  const rest = new Rest(platform, options.server ?? '', { kind: options.cookie ? 'cookie' : 'none' });
  const device = options.device ?? { name: '', platform: 'web' };
  return rest.call<LoggedIn>('POST', path, { ...body, device });
}

function proofOf(credential: Credential): Proof {
  switch (credential.kind) {
    case 'cookie':
      return { kind: 'cookie' };
    case 'token':
      return { kind: 'token', token: credential.token };
    case 'app':
      return { kind: 'none' };
  }
}

/** Nothing is cached: asks the server who this is. */
async function begin(rest: Rest, store: Store): Promise<Session> {
  const account = await rest.call<OwnAccount>('GET', '/v1/account');
  const session: Session = { server: rest.server, account, device: '' };
  await store.write([{ what: 'session', session }]);
  return session;
}

/** An engine in this page, for this page alone. */
function direct(rest: Rest, store: Store, session: Session, kept: Kept): Client {
  const engine = new Engine({ platform, rest, store, session, kept });
  const early: Delta[] = [];
  let tell = (delta: Delta): void => void early.push(delta);
  const desk = new Desk(engine, new Room(engine), (delta) => tell(delta));
  const mirror = new Mirror(session.account, desk);
  tell = (delta) => mirror.apply(delta);
  early.forEach(tell);
  const letGo = (): void => {
    void desk.leave();
    void engine.end();
  };
  const client = new PageClient(desk, mirror, platform, letGo);
  client.setForeground(true);
  engine.enqueue(() => engine.contact.connect());
  return client;
}
