// Whether this browser may show notifications, and what they may say. Asked only when somebody presses a button.

/** What the browser allows; `missing` where it has no notifications, as on pages without TLS. */
export type NoticePermission = 'missing' | 'default' | 'granted' | 'denied';

const HIDES_TEXT = 'suda.notices.hide-text';
const OFFERED = 'suda.notices.offered';

let allowed = $state.raw<NoticePermission>(read());
let hidesText = $state.raw(localStorage.getItem(HIDES_TEXT) !== null);

function read(): NoticePermission {
  return 'Notification' in globalThis && 'serviceWorker' in navigator ? Notification.permission : 'missing';
}

/** What the browser allows; reactive. */
export function permission(): NoticePermission {
  return allowed;
}

/** Lets the browser ask. */
export async function askPermission(): Promise<void> {
  await Notification.requestPermission();
  allowed = read();
}

/** Whether notifications say what messages say; reactive. */
export function showsText(): boolean {
  return !hidesText;
}

/** Chooses whether notifications say what messages say; kept in this browser. */
export function setShowsText(shows: boolean): void {
  hidesText = !shows;
  if (shows) localStorage.removeItem(HIDES_TEXT);
  else localStorage.setItem(HIDES_TEXT, 'yes');
}

/** Whether to offer notifications now, which is done once in a browser: true at the first call only. */
export function takeOffer(): boolean {
  if (read() !== 'default' || localStorage.getItem(OFFERED) !== null) return false;
  localStorage.setItem(OFFERED, 'yes');
  return true;
}
