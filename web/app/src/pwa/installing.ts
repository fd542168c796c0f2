// Registers the service worker, says that a newer version is there, and takes it over when somebody wants it.
import { toast } from '../parts/toasts.svelte';
import { openPath } from '../routing.svelte';
import { t } from '../strings/strings.svelte';
import { scriptAddress } from '../trusted';

const CHECK_MILLISECONDS = 60 * 60 * 1_000;

/** Begins; does nothing where there are no service workers, as on pages without TLS. */
export async function install(): Promise<void> {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ show?: string } | null>) => {
    if (typeof data?.show === 'string') openPath(data.show);
  });
  followVersions(navigator.serviceWorker, () => location.reload());
  const registration = await navigator.serviceWorker.register(scriptAddress('/sw.js'), { scope: '/' });
  offer(registration);
  registration.addEventListener('updatefound', () => {
    registration.installing?.addEventListener('statechange', () => offer(registration));
  });
  setInterval(() => void registration.update().catch(() => undefined), CHECK_MILLISECONDS);
}

/** Loads the page anew when another version takes over; drafts are kept, so nothing is lost. */
export function followVersions(
  workers: EventTarget & Pick<ServiceWorkerContainer, 'controller'>,
  reload: () => void,
): void {
  // The first version of all is the one that this page was loaded with.
  let hadOne = workers.controller !== null;
  workers.addEventListener('controllerchange', () => {
    if (hadOne) reload();
    hadOne = true;
  });
}

/** Says that a version waits, unless it is the first one. */
function offer(registration: ServiceWorkerRegistration): void {
  const waiting = registration.waiting;
  if (waiting === null || registration.active === null) return;
  toast(t().page.newVersion, {
    stay: true,
    action: { label: t().page.reload, run: () => waiting.postMessage({ type: 'take_over' }) },
  });
}
