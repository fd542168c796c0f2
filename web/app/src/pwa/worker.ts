// The service worker, built as `/sw.js`: the app starts without a network. It keeps the files of one version of the app and
// nothing else; conversations are kept by the SDK, and nothing under `/v1` passes through here.
/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope;
/** The files of this version, filled in by the build: `/` stands for the page. */
declare const PRECACHED: readonly string[];
/** A hash over those files. */
declare const VERSION: string;

const CACHE = `suda-${VERSION}`;
/** How long the network may take to answer with the page or a file that may have changed, in milliseconds. */
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
  if (event.data === 'take_over') void self.skipWaiting();
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const path = typeof event.notification.data === 'string' ? event.notification.data : '/';
  event.waitUntil(show(path));
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (event.request.mode === 'navigate') {
    if (!isApp(url.pathname)) return;
    event.respondWith(networkFirst(event.request, '/'));
  } else if (url.pathname.startsWith('/assets/')) {
    event.respondWith(cacheFirst(event.request));
  } else if (PRECACHED.includes(url.pathname)) {
    event.respondWith(networkFirst(event.request, url.pathname));
  }
});

/** Whether a path is one of the app's own pages: neither the server's interface nor a file. */
function isApp(path: string): boolean {
  return !path.startsWith('/v1/') && !/\.[^/]+$/.test(path);
}

async function forgetOtherVersions(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.map((name) => (name.startsWith('suda-') && name !== CACHE ? caches.delete(name) : false)));
}

/** What never changes under its name comes from the cache. */
async function cacheFirst(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request);
}

/** What may have changed comes from the network, and from the cache where the network fails or takes too long. */
async function networkFirst(request: Request, path: string): Promise<Response> {
  const kept = await caches.match(path);
  if (kept === undefined) return fetch(request);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<Response>((resolve) => {
    timer = setTimeout(() => resolve(kept), PATIENCE_MILLISECONDS);
  });
  try {
    const answer = await Promise.race([fetch(request), patience]);
    // A proxy in front of a server that is down says so with 502 to 504.
    return answer.status >= 502 && answer.status <= 504 ? kept : answer;
  } catch {
    return kept;
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
