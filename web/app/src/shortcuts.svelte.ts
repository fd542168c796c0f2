// Keyboard shortcuts of the whole page: screens say what they do, one listener finds who is asked.

/** What a shortcut asks for. */
export type Shortcut = 'search' | 'new' | 'next' | 'previous' | 'write' | 'help';

const OFF = 'suda.shortcuts.plain-off';

function read(): boolean {
  try {
    return localStorage.getItem(OFF) === null;
  } catch {
    // Some pages that hold the widget may keep nothing.
    return true;
  }
}

let plain = $state.raw(read());

/** Whether keys without Ctrl or Alt are shortcuts, too; reactive. */
export function usesPlainKeys(): boolean {
  return plain;
}

/** Chooses that; kept in this browser. Who speaks to the computer, or hits keys by mistake, is better off without. */
export function setUsesPlainKeys(uses: boolean): void {
  plain = uses;
  if (uses) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, 'yes');
}

const asked = new Map<Shortcut, () => void>();

/** From now on this is what the shortcut does; returns how to stop. The one who asked last is heard. */
export function shortcut(name: Shortcut, act: () => void): () => void {
  asked.set(name, act);
  return () => {
    if (asked.get(name) === act) asked.delete(name);
  };
}

/** Where a key was pressed: in a text, in the list, among messages, or with nothing focused and no conversation open. */
export type Place = 'text' | 'list' | 'messages' | 'nowhere' | 'elsewhere';

/** Which shortcut a key means, if any. */
export function meaning(event: KeyboardEvent, place: Place): Shortcut | undefined {
  if (event.isComposing || event.defaultPrevented) return undefined;
  const command = event.ctrlKey || event.metaKey;
  if (command && !event.altKey && event.code === 'KeyK') return 'search';
  if (event.altKey && !command && event.key === 'ArrowDown') return 'next';
  if (event.altKey && !command && event.key === 'ArrowUp') return 'previous';
  if (place === 'text' || command || event.altKey || !plain) return undefined;
  if (event.key === '?') return 'help';
  if (event.key === '/') return 'search';
  // Elsewhere a letter is most likely the beginning of a message, which must not lead away from the conversation.
  // The position of the key counts: with a Korean keyboard the letters are others.
  if (event.code === 'KeyN') return place === 'list' || place === 'nowhere' ? 'new' : undefined;
  return event.code === 'KeyC' && (place === 'list' || place === 'messages') ? 'write' : undefined;
}

function placeOf(target: EventTarget | null): Place {
  if (!(target instanceof HTMLElement)) return 'elsewhere';
  if (target.isContentEditable || target.matches('input, textarea, select')) return 'text';
  if (target.closest('[role=log]') !== null) return 'messages';
  // Whoever just opened a conversation has the focus in the list until the box to write in is there.
  const isOpening = target.matches('[aria-current]') && asked.get('write') === undefined;
  if (target.closest('[data-conversation]') !== null) return isOpening ? 'elsewhere' : 'list';
  return target === document.body && asked.get('write') === undefined ? 'nowhere' : 'elsewhere';
}

/** Listens on the page; returns how to stop. */
export function listen(): () => void {
  const onkeydown = (event: KeyboardEvent): void => {
    const modal = document.querySelector('dialog[open]') !== null;
    const found = modal ? undefined : meaning(event, placeOf(event.target));
    const act = found === undefined ? undefined : asked.get(found);
    if (act === undefined) return;
    event.preventDefault();
    act();
  };
  addEventListener('keydown', onkeydown);
  return () => removeEventListener('keydown', onkeydown);
}
