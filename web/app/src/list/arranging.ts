// Which conversations the list shows, in which order: all, the archive, or what a search finds.
import type { ConversationSummary } from '@suda/client';

/** What is asked for. */
export interface Wanted {
  archived: boolean;
  /** Empty: everything. Otherwise archived ones are searched, too. */
  query: string;
}

/** The rows to show. The order is the given one; a search puts titles that begin with the query in front. */
export function arranged(
  all: readonly ConversationSummary[],
  { archived, query }: Wanted,
): ConversationSummary[] {
  const wanted = folded(query.trim());
  if (wanted === '') return all.filter((row) => row.archived === archived);
  const ranked = all.flatMap((row) => {
    const rank = rankOf(folded(row.title), wanted);
    return rank === undefined ? [] : [{ row, rank }];
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ row }) => row);
}

function rankOf(title: string, wanted: string): number | undefined {
  for (let at = 0; at + wanted.length <= title.length; at += 1) {
    if (!matchesAt(title, wanted, at)) continue;
    if (at === 0) return 0;
    return /[\p{L}\p{N}]/u.test(title[at - 1] ?? '') ? 2 : 1;
  }
  return undefined;
}

function folded(text: string): string {
  return text.normalize('NFC').toLocaleLowerCase();
}

function matchesAt(title: string, wanted: string, at: number): boolean {
  for (let index = 0; index < wanted.length; index += 1) {
    if (!fits(title.charCodeAt(at + index), wanted.charCodeAt(index))) return false;
  }
  return true;
}

const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
const FINALS = 28;
const SYLLABLES_OF_INITIAL = 21 * FINALS;
/** The consonants that begin syllables, in the order of the syllables. */
const INITIALS = 'ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ';

/** Korean is typed letter by letter: ㄱ finds 김, and 기 finds 김, while the syllable is on its way. */
function fits(unit: number, wanted: number): boolean {
  if (unit === wanted) return true;
  if (unit < FIRST_SYLLABLE || unit > LAST_SYLLABLE) return false;
  const syllable = unit - FIRST_SYLLABLE;
  if (wanted >= FIRST_SYLLABLE && wanted <= LAST_SYLLABLE) {
    const open = wanted - FIRST_SYLLABLE;
    return open % FINALS === 0 && syllable - (syllable % FINALS) === open;
  }
  return INITIALS.charCodeAt(Math.floor(syllable / SYLLABLES_OF_INITIAL)) === wanted;
}
