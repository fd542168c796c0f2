// What people mark in a text as they type it: **strong**, *emphasis*, ~~deleted~~, `code`, links and mentions.
// Builds nodes, never HTML, so a text cannot become anything but text. Takes time in proportion to the text.

import type { Mention } from '@suda/client';

/** A piece of a text. */
export type Piece =
  | { type: 'text'; text: string }
  | { type: 'code'; text: string }
  | { type: 'strong'; pieces: Piece[] }
  | { type: 'emphasis'; pieces: Piece[] }
  | { type: 'deleted'; pieces: Piece[] }
  | { type: 'link'; text: string; href: string }
  /** `account` is absent where everybody is mentioned. */
  | { type: 'mention'; text: string; account?: string };

type Mark = 'strong' | 'emphasis' | 'deleted';

const MARKS: readonly { mark: Mark; delimiter: string }[] = [
  { mark: 'strong', delimiter: '**' },
  { mark: 'deleted', delimiter: '~~' },
  { mark: 'emphasis', delimiter: '*' },
];

/** Letters of scripts that write words apart: between them a single star is a sign, such as in 2*3*4. Korean particles
 * follow a word without a space, so Hangul is not among them. */
const WORD = /[\p{N}\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]/u;
const SPACE = /\s/u;
/** Where anything other than plain text may begin. */
const INTERESTING = /[*~`\n]|https?:\/\//giu;
/** Invisible marks that turn the direction of text could make an address look like another. */
// eslint-disable-next-line no-control-regex
const ADDRESS = /https?:\/\/[^\s<>"`\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/iuy;

/** Cuts a text into pieces. Mentions that do not fit into the text are left out. */
export function pieces(text: string, mentions: readonly Mention[] = []): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const { start, end, mention } of units(text, mentions)) {
    if (start < from) continue;
    found.push(...new Reader(text, from, start).read());
    const account = mention.who === 'all' ? {} : { account: mention.who.account };
    found.push({ type: 'mention', text: text.slice(start, end), ...account });
    from = end;
  }
  found.push(...new Reader(text, from, text.length).read());
  return found;
}

/** Mentions by units of UTF-16, ascending; the wire counts Unicode scalar values. */
function units(
  text: string,
  mentions: readonly Mention[],
): { start: number; end: number; mention: Mention }[] {
  if (mentions.length === 0) return [];
  const places: number[] = [];
  let unit = 0;
  for (const character of text) {
    places.push(unit);
    unit += character.length;
  }
  places.push(unit);
  return mentions
    .flatMap((mention) => {
      const start = places[mention.start];
      const end = places[mention.start + mention.length];
      return start === undefined || end === undefined || end <= start ? [] : [{ start, end, mention }];
    })
    .sort((a, b) => a.start - b.start);
}

/** Reads one stretch of the text. */
class Reader {
  private found: Piece[] = [];
  private plainFrom: number;
  /** From where on no closing delimiter was found, so that nobody looks again. */
  private readonly barren = new Map<Mark | 'code', number>();

  constructor(
    private readonly text: string,
    private at: number,
    private readonly end: number,
    private readonly inside: readonly Mark[] = [],
  ) {
    this.plainFrom = at;
  }

  read(): Piece[] {
    const interesting = new RegExp(INTERESTING);
    for (;;) {
      interesting.lastIndex = this.at;
      const match = interesting.exec(this.text);
      if (match === null || match.index >= this.end) break;
      this.at = match.index;
      const length = this.take(match[0]);
      this.at += length;
    }
    this.plainUpTo(this.end);
    return this.found;
  }

  /** Takes what begins here, and says how long it is. */
  private take(sign: string): number {
    if (sign === '\n') {
      this.barren.clear();
      return 1;
    }
    if (sign === '`') return this.code() ?? 1;
    if (sign.length > 2) return this.link() ?? sign.length;
    for (const { mark, delimiter } of MARKS) {
      if (!this.text.startsWith(delimiter, this.at)) continue;
      return this.marked(mark, delimiter) ?? delimiter.length;
    }
    return 1;
  }

  private code(): number | undefined {
    const from = this.at + 1;
    if ((this.barren.get('code') ?? Infinity) <= from) return undefined;
    const to = this.text.indexOf('`', from);
    const line = this.lineEnd(from);
    if (to < 0 || to >= line) {
      this.barren.set('code', from);
      return undefined;
    }
    if (to === from) return 2;
    this.add({ type: 'code', text: this.text.slice(from, to) }, to + 1);
    return to + 1 - from + 1;
  }

  private link(): number | undefined {
    ADDRESS.lastIndex = this.at;
    const match = ADDRESS.exec(this.text.slice(0, this.end))?.[0];
    const address = match === undefined ? '' : trimmed(match);
    const href = safeAddress(address);
    if (href === undefined) return undefined;
    this.add({ type: 'link', text: address, href }, this.at + address.length);
    return address.length;
  }

  private marked(mark: Mark, delimiter: string): number | undefined {
    const from = this.at + delimiter.length;
    if (this.inside.includes(mark) || !this.opens(delimiter, from)) return undefined;
    const to = this.closing(mark, delimiter, from);
    if (to === undefined) return undefined;
    const inner = new Reader(this.text, from, to, [...this.inside, mark]).read();
    this.add({ type: mark, pieces: inner }, to + delimiter.length);
    return to + delimiter.length - from + delimiter.length;
  }

  private opens(delimiter: string, from: number): boolean {
    const after = this.text[from];
    if (from >= this.end || after === undefined || SPACE.test(after) || after === delimiter[0]) return false;
    return delimiter !== '*' || !WORD.test(this.text[this.at - 1] ?? ' ');
  }

  private closing(mark: Mark, delimiter: string, from: number): number | undefined {
    if ((this.barren.get(mark) ?? Infinity) <= from) return undefined;
    const line = this.lineEnd(from);
    for (let to = from + 1; ; to += 1) {
      to = this.text.indexOf(delimiter, to);
      if (to < 0 || to + delimiter.length > line) break;
      if (SPACE.test(this.text[to - 1] ?? ' ')) continue;
      if (delimiter !== '*') return to;
      // A double star within emphasis belongs to something strong.
      if (this.text[to + 1] === '*') {
        to += 1;
        continue;
      }
      if (!WORD.test(this.text[to + 1] ?? ' ')) return to;
    }
    this.barren.set(mark, from);
    return undefined;
  }

  private lineEnd(from: number): number {
    const line = this.text.indexOf('\n', from);
    return line < 0 || line > this.end ? this.end : line;
  }

  private add(piece: Piece, end: number): void {
    this.plainUpTo(this.at);
    this.found.push(piece);
    this.plainFrom = end;
  }

  private plainUpTo(end: number): void {
    if (end > this.plainFrom) this.found.push({ type: 'text', text: this.text.slice(this.plainFrom, end) });
    this.plainFrom = end;
  }
}

/** Without what ends a sentence rather than an address. */
function trimmed(address: string): string {
  let end = address.length;
  for (;;) {
    const last = address[end - 1] ?? '';
    const unbalanced = last === ')' && count(address, '(', end) < count(address, ')', end);
    if (!unbalanced && !/[.,;:!?'*~\]}”’…。、]/u.test(last)) return address.slice(0, end);
    end -= 1;
  }
}

function count(text: string, sign: string, end: number): number {
  let found = 0;
  for (let at = 0; at < end; at += 1) if (text[at] === sign) found += 1;
  return found;
}

/** The address to open, where it is one of the web; names before an @ pretend to be hosts and are refused. */
function safeAddress(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return undefined;
  return url.username === '' && url.password === '' && url.hostname !== '' ? url.href : undefined;
}

/** The text without its marks, for previews and quotes. */
export function plain(text: string): string {
  return flat(pieces(text));
}

function flat(all: readonly Piece[]): string {
  return all.map((piece) => ('pieces' in piece ? flat(piece.pieces) : piece.text)).join('');
}
