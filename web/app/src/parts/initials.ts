// What an avatar shows of a name: whole characters as people see them, not units of UTF-16.

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** One letter for names in Hangul, Kana or Han, else those of the first and last word; empty where there is none. */
export function initials(name: string): string {
  const words = name.split(/[\s_.]+/u).filter((word) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(word));
  const first = firstVisible(words[0] ?? '');
  const last = words.length > 1 ? firstVisible(words.at(-1) ?? '') : '';
  if (first === '' || /[\p{sc=Hangul}\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{Extended_Pictographic}]/u.test(first))
    return first;
  return (first + (/\p{L}|\p{N}/u.test(last) ? last : '')).toLocaleUpperCase();
}

function firstVisible(word: string): string {
  for (const { segment } of segmenter.segment(word)) {
    // A letter under a hundred combining marks would be drawn over everything around it.
    if (/^[\p{L}\p{N}]/u.test(segment)) return String.fromCodePoint(segment.codePointAt(0) ?? 0x20);
    if (/\p{Extended_Pictographic}/u.test(segment)) return segment;
  }
  return '';
}
