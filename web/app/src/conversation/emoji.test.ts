// Which texts are an emoji to react with.
import { expect, it } from 'vitest';

import { firstEmoji, MORE, QUICK } from './emoji';

it.each([
  ['👍', '👍'],
  [' 👍🏽x', '👍🏽'],
  ['👩‍👩‍👧‍👦', '👩‍👩‍👧‍👦'],
  ['🇰🇷🇯🇵', '🇰🇷'],
  ['1️⃣', '1️⃣'],
  ['❤️', '❤️'],
  ['a', undefined],
  ['1', undefined],
  ['한', undefined],
  ['', undefined],
  ['👍' + '\u0300'.repeat(60), undefined],
])('%s', (text, expected) => expect(firstEmoji(text)).toBe(expected));

it('all that are offered can be sent', () => {
  for (const emoji of [...QUICK, ...MORE]) expect(firstEmoji(emoji)).toBe(emoji);
});
