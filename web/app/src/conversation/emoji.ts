// Emoji to react with: those at hand, and whether a text is one.

/** Offered first. */
export const QUICK: readonly string[] = ['👍', '❤️', '😂', '😮', '😢', '🙏'];

/** Offered below. */
export const MORE: readonly string[] = [
  ...['🎉', '🔥', '👏', '🙌', '💯', '✅', '❌', '👀'],
  ...['🤔', '😅', '😊', '😍', '🥰', '😎', '🤣', '😭'],
  ...['😡', '🤯', '😴', '🤝', '💪', '👋', '✨', '☕'],
];

/** The server's bound, bytes of UTF-8. */
const LONGEST_BYTES = 64;
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The emoji that a text begins with, where it is one that can be sent. */
export function firstEmoji(text: string): string | undefined {
  const first = [...segmenter.segment(text.trim().slice(0, LONGEST_BYTES))][0]?.segment ?? '';
  const isEmoji = /\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{RI}\p{RI}|\u20e3/u.test(first);
  return isEmoji && new TextEncoder().encode(first).length <= LONGEST_BYTES ? first : undefined;
}
