// Which key means which shortcut, and where letters are none.
import { expect, it, vi } from 'vitest';

import { meaning, setUsesPlainKeys, type Place, type Shortcut } from './shortcuts.svelte';

/** What a page tells of a key. */
function key(code: string, more: Partial<KeyboardEvent> = {}): KeyboardEvent {
  return { code, key: code, isComposing: false, defaultPrevented: false, ...more } as KeyboardEvent;
}

const CASES: readonly [string, KeyboardEvent, Place, Shortcut | undefined][] = [
  ['N in the list', key('KeyN'), 'list', 'new'],
  ['N in the list, with a Korean keyboard', key('KeyN', { key: 'ㅜ' }), 'list', 'new'],
  ['N where nothing is open', key('KeyN'), 'nowhere', 'new'],
  ['N among messages', key('KeyN'), 'messages', undefined],
  ['N beside an open conversation', key('KeyN'), 'elsewhere', undefined],
  ['N in a text', key('KeyN'), 'text', undefined],
  ['C in the list', key('KeyC'), 'list', 'write'],
  ['C among messages', key('KeyC'), 'messages', 'write'],
  ['C beside an open conversation', key('KeyC'), 'elsewhere', undefined],
  ['copying', key('KeyC', { ctrlKey: true }), 'messages', undefined],
  ['a question mark', key('Slash', { key: '?' }), 'elsewhere', 'help'],
  ['a question mark in a text', key('Slash', { key: '?' }), 'text', undefined],
  ['a slash', key('Slash', { key: '/' }), 'messages', 'search'],
  ['Ctrl K in a text', key('KeyK', { ctrlKey: true }), 'text', 'search'],
  ['Alt and the arrow down in a text', key('ArrowDown', { altKey: true }), 'text', 'next'],
  ['a key that was used already', key('KeyN', { defaultPrevented: true }), 'list', undefined],
  ['a letter of a composition', key('KeyN', { isComposing: true }), 'list', undefined],
];

it.each(CASES)('%s', (_, event, place, shortcut) => expect(meaning(event, place)).toBe(shortcut));

it('with plain keys switched off only those with Ctrl or Alt are left, also after a reload', async () => {
  const kept = new Map<string, string>();
  vi.stubGlobal('localStorage', {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => kept.set(name, value),
    removeItem: (name: string) => kept.delete(name),
  });
  const left = (by: typeof meaning): (Shortcut | undefined)[] =>
    CASES.map(([, event, place]) => by(event, place)).filter((shortcut) => shortcut !== undefined);
  const all = left(meaning);
  setUsesPlainKeys(false);
  expect(left(meaning)).toEqual(['search', 'next']);
  vi.resetModules();
  const reloaded = await import('./shortcuts.svelte');
  expect(left(reloaded.meaning)).toEqual(['search', 'next']);
  reloaded.setUsesPlainKeys(true);
  expect(left(reloaded.meaning)).toEqual(all);
  expect(kept.size).toBe(0);
});
