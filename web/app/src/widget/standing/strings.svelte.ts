// Stands in for `strings/strings.svelte` in the widget: the words of a conversation only, one language at a time, and the
// page around keeps its own language.
import type { Language } from '../../strings/strings.svelte';
import type { problems } from '../../strings/en/problems';
import type { words } from './words/en';

/** What can be said; why something failed is loaded when something has. */
type Words = typeof words & { problems?: typeof problems };

let chosen = $state.raw<Language>('en');
let spoken = $state.raw<Words>();

/** The strings; reactive. `useLanguage` must have been awaited once. */
export function t(): Words {
  if (spoken === undefined) throw new Error('no language is loaded yet');
  return spoken;
}

/** The chosen language; reactive, and one for all widgets of a page. */
export function language(): Language {
  return chosen;
}

/** The language of a BCP 47 tag, where there is one. */
export function languageOf(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split('-')[0];
  return primary === 'en' || primary === 'ko' ? primary : undefined;
}

/** Shows everything in this language. */
export async function useLanguage(next: Language): Promise<void> {
  spoken = (await (next === 'ko' ? import('./words/ko') : import('./words/en'))).words;
  chosen = next;
}

/** Loads the words for failures, too; to be awaited before one is told. */
export async function useAllStrings(): Promise<void> {
  const { problems } = await (chosen === 'ko'
    ? import('../../strings/ko/problems')
    : import('../../strings/en/problems'));
  spoken = { ...t(), problems };
}
