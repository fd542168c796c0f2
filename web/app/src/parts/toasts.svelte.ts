// Short notices at the edge of the page: said once, gone after a while. At most three at a time.

/** One notice. */
export interface Toast {
  id: number;
  text: string;
  kind: 'plain' | 'error';
  /** A button in it, such as "undo". */
  action?: { label: string; run: () => void };
}

const AT_ONCE = 3;
const SHOWN_MILLISECONDS = 6_000;

let shown = $state.raw<readonly Toast[]>([]);
let next = 0;

/** The notices that are shown, oldest first; reactive. */
export function toasts(): readonly Toast[] {
  return shown;
}

/** Shows a notice. With `stay` it is there until somebody dismisses it. */
export function toast(
  text: string,
  options: { kind?: Toast['kind']; action?: Toast['action']; stay?: boolean } = {},
): number {
  next += 1;
  const id = next;
  const one: Toast = {
    id,
    text,
    kind: options.kind ?? 'plain',
    ...(options.action && { action: options.action }),
  };
  shown = [...shown.filter((other) => other.text !== text), one].slice(-AT_ONCE);
  if (options.stay !== true) setTimeout(() => dismiss(id), SHOWN_MILLISECONDS);
  return id;
}

/** Takes a notice away. */
export function dismiss(id: number): void {
  shown = shown.filter((one) => one.id !== id);
}
