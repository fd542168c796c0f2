/** A way within one page. */

import type { FromOwner, FromPage, Way } from './messages.js';

/** Both ends; what is sent arrives in order, after the sender is done. */
export function pair(): [Way<FromPage, FromOwner>, Way<FromOwner, FromPage>] {
  const page: Way<FromPage, FromOwner> = {
    send: (message) => queueMicrotask(() => owner.onmessage(message)),
    onmessage: () => undefined,
    close: () => undefined,
  };
  const owner: Way<FromOwner, FromPage> = {
    send: (message) => queueMicrotask(() => page.onmessage(message)),
    onmessage: () => undefined,
    close: () => undefined,
  };
  return [page, owner];
}
