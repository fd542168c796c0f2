// Stands in for `strings/strings.svelte` in the widget: the words of a conversation only, in both languages at once, and the
// page around keeps its own language.
import { conversation as conversationEnglish } from '../../strings/en/conversation';
import { list as listEnglish } from '../../strings/en/list';
import { problems as problemsEnglish } from '../../strings/en/problems';
import { shell as shellEnglish } from '../../strings/en/shell';
import { conversation as conversationKorean } from '../../strings/ko/conversation';
import { list as listKorean } from '../../strings/ko/list';
import { problems as problemsKorean } from '../../strings/ko/problems';
import { shell as shellKorean } from '../../strings/ko/shell';
import type { Language } from '../../strings/strings.svelte';

const english = {
  conversation: conversationEnglish,
  list: listEnglish,
  problems: problemsEnglish,
  shell: shellEnglish,
};
const korean: typeof english = {
  conversation: conversationKorean,
  list: listKorean,
  problems: problemsKorean,
  shell: shellKorean,
};

let chosen = $state.raw<Language>('en');

/** The strings; reactive. */
export function t(): typeof english {
  return chosen === 'ko' ? korean : english;
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
  chosen = next;
}
