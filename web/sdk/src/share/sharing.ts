/** What an app's options come to: how tabs share an engine here, and what it is opened with. */

import type { Credential, OpenOptions } from '../api.js';
import type { Key, Opening } from '../engine/opening.js';
import { hasLocks } from './life.js';

/** How tabs share an engine. */
export type Sharing = { by: 'worker'; url: string | URL } | { by: 'lock' } | { by: 'none' };

/** The best way that works here, unless the app names one. */
export function sharingOf({ share, workerUrl }: OpenOptions): Sharing {
  const canShare = typeof document !== 'undefined';
  const isWorker = canShare && workerUrl !== undefined && 'SharedWorker' in globalThis;
  if (isWorker && (share === undefined || share === 'worker')) return { by: 'worker', url: workerUrl };
  const isLock = canShare && hasLocks() && 'BroadcastChannel' in globalThis;
  return isLock && share !== 'none' ? { by: 'lock' } : { by: 'none' };
}

/** What to open with. */
export function openingOf(options: OpenOptions, sharing: Sharing): Opening {
  const { credential, server = '', device = { name: '', platform: 'web' } } = options;
  return { server, key: keyOf(credential), device, storage: storageOf(options, sharing) };
}

/** Tabs that cannot share an engine must not share a database either, unless the app says that there is one page. */
function storageOf({ storage, share }: OpenOptions, { by }: Sharing): 'indexeddb' | 'memory' {
  const canStore = 'indexedDB' in globalThis && (by !== 'none' || share === 'none');
  return storage ?? (canStore ? 'indexeddb' : 'memory');
}

function keyOf(credential: Credential): Key {
  if (credential.kind !== 'app') return credential;
  return { kind: 'app', ...(credential.user !== undefined && { user: credential.user }) };
}
