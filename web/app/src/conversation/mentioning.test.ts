// When names are offered, which, and what is sent.
import { describe, expect, it } from 'vitest';

import { complete, completing, mentionsIn, namedIn, offered, type Mentionable } from './mentioning';

const mina: Mentionable = { who: '1', name: 'Mina Kim', handle: 'mina' };
const minho: Mentionable = { who: '2', name: 'Minho', handle: 'minho' };
const korean: Mentionable = { who: '3', name: '김하늘', handle: 'sky' };
const everybody: Mentionable = { who: 'all', name: 'all', handle: '' };
const all = [minho, korean, mina, everybody];

describe('completing', () => {
  it.each([
    ['@', 0, ''],
    ['hello @mi', 6, 'mi'],
    ['(@김하', 1, '김하'],
    ['@Mina K', 0, 'Mina K'],
    ['안녕 @', 3, ''],
  ])('%s', (text, start, query) => expect(completing(text, text.length)).toEqual({ start, query }));

  it.each(['', 'hello', 'mail@example', '@ mina', '@Mina Kim is', '@a\nb', '@@x', '@' + 'x'.repeat(40)])(
    'nothing in %s',
    (text) => expect(completing(text, text.length)).toBeUndefined(),
  );

  it('looks before the caret only', () =>
    expect(completing('@mina and', 3)).toEqual({ start: 0, query: 'mi' }));
});

describe('offered', () => {
  it.each([
    ['', ['all', 'Mina Kim', 'Minho', '김하늘']],
    ['min', ['Mina Kim', 'Minho']],
    ['MINH', ['Minho']],
    ['kim', ['Mina Kim']],
    ['sk', ['김하늘']],
    ['김하', ['김하늘']],
    ['김하늘'.normalize('NFD'), ['김하늘']],
    ['nobody', []],
  ])('%s', (query, names) => expect(offered(all, query).map(({ name }) => name)).toEqual(names));
});

it('a chosen name takes the place of what was typed', () => {
  expect(complete('hi @mi there', 6, { start: 3, query: 'mi' }, mina)).toEqual({
    text: 'hi @Mina Kim there',
    caret: 13,
  });
  expect(complete('@김', 2, { start: 0, query: '김' }, korean)).toEqual({ text: '@김하늘 ', caret: 5 });
});

describe('mentions that are sent', () => {
  const short = { who: '4', name: 'mina', handle: 'mina' };
  it.each([
    ['@Mina Kim hi', [mina], [[0, 9]]],
    ['👍👍 @김하늘님', [korean], [[3, 4]]],
    [
      '@Mina Kim @all',
      [mina, everybody],
      [
        [0, 9],
        [10, 4],
      ],
    ],
    ['@Mina only', [mina], []],
    ['@minami hi', [short], []],
    [
      '@minami @mina, @mina',
      [short],
      [
        [8, 5],
        [15, 5],
      ],
    ],
    ['@all2 @all_ @allÉ', [everybody], []],
    ['@mina님', [short], [[0, 5]]],
    ['@Mina Kim', [], []],
    [
      '@Minho @Minho',
      [minho],
      [
        [0, 6],
        [7, 6],
      ],
    ],
  ])('%s', (text, chosen, expected) =>
    expect(mentionsIn(text, chosen, 100).map(({ start, length }) => [start, length])).toEqual(expected),
  );
  it('are bounded', () => expect(mentionsIn('@Minho '.repeat(9), [minho], 4)).toHaveLength(4));
});

describe('names in a text that was kept', () => {
  const short = { who: 'a9', name: 'Mina', handle: 'mina2' };
  const twin = { who: 'a8', name: 'Minho', handle: 'minho2' };
  it.each([
    ['hi @Mina Kim!', [mina, minho], [mina]],
    ['@Mina Kim and @all', [mina, short, everybody], [mina, everybody]],
    ['@Mina, are you there?', [mina, short], [short]],
    ['@김하늘님', [korean], [korean]],
    ['@Minho', [minho, twin], []],
    ['@Minhoo and mail@Minho', [minho], []],
    ['@Mina', [mina], []],
    ['nobody', [mina], []],
  ])('%s', (text, all, expected) => expect(namedIn(text, all, 100)).toEqual(expected));
  it('are bounded', () => expect(namedIn('@Mina Kim @Minho', [mina, minho], 1)).toEqual([mina]));
});
