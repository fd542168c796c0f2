// The strings in the chosen language. Only that language is loaded; switching takes no reload.
import type { en } from './en';

/** All strings; English says which there are. */
export type Strings = typeof en;

/** The languages that there are. */
export type Language = 'en' | 'ko';

/** Each language by its own name, for a switch. */
export const LANGUAGES: readonly { language: Language; name: string }[] = [
  { language: 'en', name: 'English' },
  { language: 'ko', name: '한국어' },
];

const KEPT = 'suda.language';

let strings = $state.raw<Strings>();
let chosen = $state.raw<Language>('en');

/** The strings; reactive. `useLanguage` must have been awaited once. */
export function t(): Strings {
  if (strings === undefined) throw new Error('no language is loaded yet');
  return strings;
}

/** The chosen language; reactive. */
export function language(): Language {
  return chosen;
}

/** The language of a BCP 47 tag, where there is one. */
export function languageOf(tag: string): Language | undefined {
  const primary = tag.toLowerCase().split('-')[0];
  return LANGUAGES.find((one) => one.language === primary)?.language;
}

/** Whether somebody chose a language in this browser. */
export function hasChosenLanguage(): boolean {
  return localStorage.getItem(KEPT) !== null;
}

/** What this browser chose before, else what it prefers, else English. */
export function firstLanguage(): Language {
  const tags = [localStorage.getItem(KEPT) ?? '', ...navigator.languages];
  for (const tag of tags) {
    const found = languageOf(tag);
    if (found !== undefined) return found;
  }
  return 'en';
}

/** Shows everything in this language; `keep` remembers it in this browser. Without `page` the page keeps its own. */
export async function useLanguage(
  next: Language,
  options: { keep?: boolean; page?: boolean } = {},
): Promise<void> {
  strings = await load(next);
  chosen = next;
  if (options.page !== false) document.documentElement.lang = next;
  if (options.keep === true) localStorage.setItem(KEPT, next);
}

/** The strings of entrance and panels on their way, or there; absent until asked for. */
let whole: Promise<void> | undefined;

/** Loads the strings of entrance and panels, too; to be awaited before one of them is shown. */
export function useAllStrings(): Promise<void> {
  whole ??= Promise.resolve().then(async () => {
    strings = await load(chosen);
  });
  return whole;
}

async function load(next: Language): Promise<Strings> {
  const { first } = await (next === 'ko' ? import('./ko/first') : import('./en/first'));
  // Nobody reads the others before `useAllStrings`.
  if (whole === undefined) return first as Strings;
  const { later } = await (next === 'ko' ? import('./ko/later') : import('./en/later'));
  return { ...first, ...later };
}
