/** Where a page finds its engine: a worker for all tabs, one of the tabs, or itself. */

import { timeOrderedId } from '../core/ids.js';
import { placeOf, type Jwt, type Opening } from '../engine/opening.js';
import { platform } from '../platform.js';
import { Asking, type Listening } from './asking.js';
import { hasLocks, hold, nameOfPage } from './life.js';
import { VERSION, wayOver } from './messages.js';
import type { Sharing } from './sharing.js';

/** A page's tie to its engine. */
export interface Tie {
  asking: Asking;
  close(): void;
}

/** Reaches an engine. Only what is not shared loads an engine into the page. */
export async function tie(sharing: Sharing, opening: Opening, jwt: Jwt, listening: Listening): Promise<Tie> {
  const page = timeOrderedId(platform.now(), platform.randomBytes(10));
  const asking = new Asking(page, opening, jwt, listening);
  // It starts while the lock is waited for.
  const worker = sharing.by === 'worker' ? start(sharing.url, placeOf(opening)) : undefined;
  // Held before anybody can ask whether this page lives.
  const life = sharing.by !== 'none' && hasLocks() ? await hold(nameOfPage(page)) : undefined;
  const elect = (): Promise<() => void> => byElection(opening, page, asking);
  const reach = (): Promise<() => void> => (sharing.by === 'lock' ? elect() : alone(asking));
  const leave = worker ? byWorker(worker, asking, elect) : await reach();
  const close = (): void => {
    asking.close();
    leave();
    life?.release();
  };
  return { asking, close };
}

async function byElection(opening: Opening, page: string, asking: Asking): Promise<() => void> {
  const { Election } = await import('./election.js');
  const election = new Election(platform, opening, page, asking);
  return () => election.close();
}

async function alone(asking: Asking): Promise<() => void> {
  const [{ Owner }, { pair }] = await Promise.all([import('./owner.js'), import('./pair.js')]);
  const owner = new Owner(platform, () => undefined, { abandoned: () => void owner.retire() });
  const [mine, owners] = pair();
  owner.serve(owners);
  asking.attach(mine);
  return () => undefined;
}

/** A worker that begins to run. */
interface Started {
  worker: SharedWorker;
  /** Fulfilled where it cannot be loaded. */
  failed: Promise<void>;
}

function start(url: string | URL, place: string): Started {
  const worker = new SharedWorker(trusted(url), { type: 'module', name: `${String(VERSION)} ${place}` });
  const failed = new Promise<void>((resolve) => (worker.onerror = () => resolve()));
  return { worker, failed };
}

/** Where the worker cannot be loaded, tabs elect one of them. */
function byWorker({ worker, failed }: Started, asking: Asking, elect: () => Promise<() => void>): () => void {
  let leave = (): void => undefined;
  void failed.then(elect).then((close) => (leave = close));
  const attach = (): void => asking.attach(wayOver(worker.port));
  attach();
  // A page that comes back from the browser's memory was taken for gone.
  const shown = (event: PageTransitionEvent): void => (event.persisted ? attach() : undefined);
  globalThis.addEventListener('pageshow', shown);
  return () => {
    globalThis.removeEventListener('pageshow', shown);
    leave();
  };
}

/** Pages with a strict security policy run only what a policy of theirs has passed. */
interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** The worker's address, if it is of the page's own origin. */
function trusted(url: string | URL): string {
  const address = new URL(url, globalThis.location.href);
  if (address.origin !== globalThis.location.origin) throw new TypeError('the worker is of another origin');
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  policy ??= trustedTypes?.createPolicy('suda-client', { createScriptURL: (checked) => checked });
  return policy ? policy.createScriptURL(address.href) : address.href;
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;
