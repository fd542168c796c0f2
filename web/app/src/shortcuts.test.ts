// Which key means which shortcut, and where letters are none.
import { expect, it } from 'vitest';

import { meaning, type Place, type Shortcut } from './shortcuts.svelte';

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
