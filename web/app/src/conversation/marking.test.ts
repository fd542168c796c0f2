// What is marked in a text, what is not, and that hostile texts neither become anything else nor take long.
import type { Mention } from '@suda/client';
import { describe, expect, it } from 'vitest';

import { pieces, plain, type Piece } from './marking';

/** Pieces in a form that is short to write: `s(…)` strong, `e(…)` emphasis, `d(…)` deleted, `c(…)`, `l(…)`, `m(…)`. */
function shown(all: readonly Piece[]): string {
  return all
    .map((piece) => {
      if ('pieces' in piece) return `${piece.type.charAt(0)}(${shown(piece.pieces)})`;
      return piece.type === 'text' ? piece.text : `${piece.type.charAt(0)}(${piece.text})`;
    })
    .join('');
}

describe('marks', () => {
  it.each([
    ['plain text', 'plain text'],
    ['a **strong** word', 'a s(strong) word'],
    ['an *emphasised* word', 'an e(emphasised) word'],
    ['~~gone~~ here', 'd(gone) here'],
    ['`code` here', 'c(code) here'],
    ['**a *b* c**', 's(a e(b) c)'],
    ['*a **b** c*', 'e(a s(b) c)'],
    ['~~**both**~~', 'd(s(both))'],
    ['`**literal**`', 'c(**literal**)'],
    ['**강조**입니다', 's(강조)입니다'],
    ['이것은*강조*예요', '이것은e(강조)예요'],
    ['2*3*4 = 24', '2*3*4 = 24'],
    ['a * b * c', 'a * b * c'],
    ['**not closed', '**not closed'],
    ['** spaced **', '** spaced **'],
    ['not **over\nlines**', 'not **over\nlines**'],
    ['line one **\n**strong** two', 'line one **\ns(strong) two'],
    ['****', '****'],
    ['***', '***'],
    ['``', '``'],
    ['~~~~', '~~~~'],
    ['**a** and **b**', 's(a) and s(b)'],
    ['snake_case_name', 'snake_case_name'],
    ['<b>bold</b>', '<b>bold</b>'],
    ['', ''],
  ])('%s', (text, expected) => expect(shown(pieces(text))).toBe(expected));
});

describe('links', () => {
  it.each([
    ['see https://suda.chat/a?b=c#d.', 'see l(https://suda.chat/a?b=c#d).'],
    ['(https://en.wikipedia.org/wiki/Chat_(app))', '(l(https://en.wikipedia.org/wiki/Chat_(app)))'],
    ['HTTP://EXAMPLE.COM!', 'l(HTTP://EXAMPLE.COM)!'],
    ['**https://a.example**', 's(l(https://a.example))'],
    ['https://한국.example/길', 'l(https://한국.example/길)'],
    ['javascript:alert(1)', 'javascript:alert(1)'],
    ['data:text/html,x', 'data:text/html,x'],
    ['https://', 'https://'],
    ['https://bank.example@evil.example/', 'https://bank.example@evil.example/'],
    ['https://a.example/\u202Egnp.exe', 'l(https://a.example/)\u202Egnp.exe'],
    ['https://a.example/"onclick="x', 'l(https://a.example/)"onclick="x'],
  ])('%s', (text, expected) => expect(shown(pieces(text))).toBe(expected));

  it('lead where they say', () => {
    expect(pieces('https://Suda.Chat/A b')[0]).toEqual({
      type: 'link',
      text: 'https://Suda.Chat/A',
      href: 'https://suda.chat/A',
    });
  });
});

describe('mentions', () => {
  const mina: Mention = { who: { account: 'mina' }, start: 3, length: 5 };
  it('count scalar values, not units', () => {
    expect(pieces('👍👍 @mina **hi**', [mina])).toEqual([
      { type: 'text', text: '👍👍 ' },
      { type: 'mention', text: '@mina', account: 'mina' },
      { type: 'text', text: ' ' },
      { type: 'strong', pieces: [{ type: 'text', text: 'hi' }] },
    ]);
  });
  it.each<[string, Mention[], string]>([
    ['all of @all', [{ who: 'all', start: 7, length: 4 }], 'all of m(@all)'],
    ['short', [{ who: 'all', start: 3, length: 9 }], 'short'],
    ['empty', [{ who: 'all', start: 3, length: 0 }], 'empty'],
    [
      '@a@b',
      [
        { who: 'all', start: 2, length: 2 },
        { who: 'all', start: 0, length: 2 },
      ],
      'm(@a)m(@b)',
    ],
    [
      '@over',
      [
        { who: 'all', start: 0, length: 4 },
        { who: 'all', start: 2, length: 3 },
      ],
      'm(@ove)r',
    ],
  ])('%s', (text, mentions, expected) => expect(shown(pieces(text, mentions))).toBe(expected));
});

describe('hostile texts', () => {
  it.each([
    '*',
    '**',
    '*a ',
    '**a ',
    '~~a',
    '`',
    '*a**b ',
    'https://a',
    '(https://a.b)',
    '*a **b ~~c ',
    'a* ',
    '))))',
  ])('of 16 KiB take no time: %s', (unit) => {
    const text = unit.repeat(Math.ceil(16_384 / unit.length));
    // Time of the processor: a busy machine takes longer by the clock.
    const started = process.cpuUsage();
    const found = pieces(text);
    expect(process.cpuUsage(started).user / 1_000).toBeLessThan(400);
    expect(flat(found).replace(/[*~`]/g, '')).toBe(text.replace(/[*~`]/g, ''));
  });
});

function flat(all: readonly Piece[]): string {
  return all.map((piece) => ('pieces' in piece ? flat(piece.pieces) : piece.text)).join('');
}

it('plain text has no marks', () =>
  expect(plain('**a** `b` ~~c~~ https://d.example')).toBe('a b c https://d.example'));
