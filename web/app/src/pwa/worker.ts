// The service worker, built as `/sw.js`: the app starts without a network. It keeps the files of one version of the app and
// nothing else; conversations are kept by the SDK, and nothing under `/v1` passes through here.
/// <reference lib="webworker" />
// A module of its own, so that the names below are not those of pages.
export {};

declare const self: ServiceWorkerGlobalScope;
/** The files of this version, filled in by the build: `/` stands for the page. */
declare const PRECACHED: readonly string[];
/** A hash over those files. */
declare const VERSION: string;

/** What pages ask for. */
type Asked =
  /** This version is to take over from the one before. */
  | { type: 'take_over' }
  /** A message, from every tab that saw it come. */
  | { type: 'tell'; title: string; text: string; conversation: string; seq: number; path: string }
  /** The account logged out: nothing that was told stays on screen. */
  | { type: 'forget' };

const CACHE = `suda-${VERSION}`;
/** How long the network may take to answer with a file that may have changed, in milliseconds. */
const PATIENCE_MILLISECONDS = 2_500;

self.addEventListener('install', (event) => {
  // Past the HTTP cache, so that page and files are of one version.
  const requests = PRECACHED.map((path) => new Request(path, { cache: 'no-cache' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(forgetOtherVersions().then(() => self.clients.claim()));
});

self.addEventListener('message', (event) => {
  const asked = event.data as Asked;
  if (asked.type === 'take_over') event.waitUntil(self.skipWaiting());
  if (asked.type === 'tell') event.waitUntil(inTurn(() => tell(asked)));
  if (asked.type === 'forget') event.waitUntil(inTurn(forget));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const data = event.notification.data as { path?: string } | null;
  event.waitUntil(show(data?.path ?? '/'));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (event.request.mode === 'navigate') {
    if (!isApp(url.pathname)) return;
    // Page and files are of one version then, and nobody waits: `installing.ts` tells when there is another one.
    event.respondWith(cacheFirst(event.request, '/'));
  } else if (url.pathname.startsWith('/assets/')) {
    event.respondWith(cacheFirst(event.request, url.pathname));
  } else if (PRECACHED.includes(url.pathname)) {
    event.respondWith(networkFirst(event.request, url.pathname));
  }
});

/** The newest message told of each conversation; lost when the browser stops this worker, which costs a repetition. */
const told = new Map<string, number>();
const TOLD_MOST = 1_000;

/** Shows a notification, once for all tabs, and not while a tab with the conversation has the focus. */
async function tell({ title, text, conversation, seq, path }: Asked & { type: 'tell' }): Promise<void> {
  if ((told.get(conversation) ?? 0) >= seq) return;
  if (told.size >= TOLD_MOST) told.clear();
  told.set(conversation, seq);
  const pages = await self.clients.matchAll({ type: 'window' });
  if (pages.some((page) => page.focused && new URL(page.url).pathname === path)) return;
  await self.registration.showNotification(title, {
    body: text,
    tag: conversation,
    icon: '/icons/icon-192.png',
    data: { path, seq },
  });
}

/** Takes all notifications back. */
async function forget(): Promise<void> {
  told.clear();
  const notices = await self.registration.getNotifications();
  notices.forEach((notice) => notice.close());
}

/** What is being told or forgotten. */
let busy: Promise<unknown> = Promise.resolve();

/** One after the other, so that what was to be told before a log-out does not appear after it. */
function inTurn(act: () => Promise<void>): Promise<void> {
  const turn = busy.then(act);
  busy = turn.catch(() => undefined);
  return turn;
}

/** Whether a path is one of the app's own pages: neither the server's interface nor a file. */
function isApp(path: string): boolean {
  return !path.startsWith('/v1/') && !/\.[^/]+$/.test(path);
}

async function forgetOtherVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.map((name) => (name.startsWith('suda-') && name !== CACHE ? caches.delete(name) : false)),
  );
}

/** What is kept of this version. Answers vary by encoding and origin for others' sake; here each is kept once. */
async function kept(path: string): Promise<Response | undefined> {
  const cache = await caches.open(CACHE);
  return cache.match(path, { ignoreVary: true });
}

/** What does not change within a version comes from the cache. */
async function cacheFirst(request: Request, path: string): Promise<Response> {
  return (await kept(path)) ?? fetch(request);
}

/** What may have changed comes from the network, and from the cache where the network fails or takes too long. */
async function networkFirst(request: Request, path: string): Promise<Response> {
  const present = await kept(path);
  if (present === undefined) return fetch(request);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<Response>((resolve) => {
    timer = setTimeout(() => resolve(present), PATIENCE_MILLISECONDS);
  });
  try {
    const answer = await Promise.race([fetch(request), patience]);
    // A proxy in front of a server that is down says so with 502 to 504.
    return answer.status >= 502 && answer.status <= 504 ? present : answer;
  } catch {
    return present;
  } finally {
    clearTimeout(timer);
  }
}

/** Brings a page of the app to the front and to a path; opens one where there is none. */
async function show(path: string): Promise<void> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const page = pages[0];
  if (page === undefined) {
    await self.clients.openWindow(path);
    return;
  }
  page.postMessage({ show: path });
  await page.focus();
}
