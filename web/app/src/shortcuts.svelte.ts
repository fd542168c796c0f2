// Keyboard shortcuts of the whole page: screens say what they do, one listener finds who is asked.

/** What a shortcut asks for. */
export type Shortcut = 'search' | 'new' | 'next' | 'previous' | 'write' | 'help';

/** Each shortcut with its keys, for the dialog that lists them. `plain` ones work only where no text is being typed. */
export const SHORTCUTS: readonly { shortcut: Shortcut; keys: string; plain: boolean }[] = [
  { shortcut: 'search', keys: 'Ctrl K', plain: false },
  { shortcut: 'search', keys: '/', plain: true },
  { shortcut: 'next', keys: 'Alt ↓', plain: false },
  { shortcut: 'previous', keys: 'Alt ↑', plain: false },
  { shortcut: 'new', keys: 'N', plain: true },
  { shortcut: 'write', keys: 'C', plain: true },
  { shortcut: 'help', keys: '?', plain: true },
];

const asked = new Map<Shortcut, () => void>();

/** From now on this is what the shortcut does; returns how to stop. The one who asked last is heard. */
export function shortcut(name: Shortcut, act: () => void): () => void {
  asked.set(name, act);
  return () => {
    if (asked.get(name) === act) asked.delete(name);
  };
}

/** Which shortcut a key means, if any. */
export function meaning(event: KeyboardEvent, typing: boolean): Shortcut | undefined {
  if (event.isComposing || event.defaultPrevented) return undefined;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && event.code === 'KeyK') return 'search';
  if (event.altKey && !command && event.key === 'ArrowDown') return 'next';
  if (event.altKey && !command && event.key === 'ArrowUp') return 'previous';
  if (typing || command || event.altKey) return undefined;
  if (event.key === '?') return 'help';
  if (event.key === '/') return 'search';
  // The position of the key counts: with a Korean keyboard the letters are others.
  if (event.code === 'KeyN') return 'new';
  return event.code === 'KeyC' ? 'write' : undefined;
}

/** Listens on the page; returns how to stop. */
export function listen(): () => void {
  const onkeydown = (event: KeyboardEvent): void => {
    const target = event.target;
    const typing =
      target instanceof HTMLElement &&
      (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/u.test(target.tagName));
    const modal = document.querySelector('dialog[open]') !== null;
    const found = modal ? undefined : meaning(event, typing);
    const act = found === undefined ? undefined : asked.get(found);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  addEventListener('keydown', onkeydown);
  return () => removeEventListener('keydown', onkeydown);
}
