// Short notices at the edge of the page: said once, gone after a while. At most three at a time.
import { APP, type Place } from './place';

/** One notice. */
export interface Toast {
  id: number;
  text: string;
  kind: 'plain' | 'error';
  /** Where it is shown. */
  at: Place;
  /** A button in it, such as "undo". */
  action?: { label: string; run: () => void };
}

const AT_ONCE = 3;
const SHOWN_MILLISECONDS = 6_000;

let shown = $state.raw<readonly Toast[]>([]);
let next = 0;

/** The notices that are shown in a place, oldest first; reactive. */
export function toasts(at: Place): readonly Toast[] {
  return shown.filter((one) => one.at === at);
}

/** Shows a notice. With `stay` it is there until somebody dismisses it. */
export function toast(
  text: string,
  options: { kind?: Toast['kind']; action?: Toast['action']; stay?: boolean; at?: Place } = {},
): number {
  next += 1;
  const id = next;
  const one: Toast = {
    id,
    text,
    kind: options.kind ?? 'plain',
    at: options.at ?? APP,
    ...(options.action && { action: options.action }),
  };
  shown = [...shown.filter((other) => other.text !== text || other.at !== one.at), one].slice(-AT_ONCE);
  if (options.stay !== true) setTimeout(() => dismiss(id), SHOWN_MILLISECONDS);
  return id;
}

/** Takes a notice away. */
export function dismiss(id: number): void {
  shown = shown.filter((one) => one.id !== id);
}
