// Mentions while somebody writes: when names are offered, which, and what is sent of those that were chosen.
import type { AccountId, Mention } from '@suda/client';

/** Somebody who can be mentioned. */
export interface Mentionable {
  /** `all` stands for everybody. */
  who: AccountId | 'all';
  /** The name to show. */
  name: string;
  /** The unique name, to be found by too; empty for everybody. */
  handle: string;
}

/** A name that is being typed: the text from `start` to the caret is `@` and the query. Units of UTF-16. */
export interface Completing {
  start: number;
  query: string;
}

const LONGEST_QUERY = 32;
const MOST_OFFERED = 8;

/** Whether a name is being typed before the caret: an @ at the beginning of a word, and no line or space-space after it. */
export function completing(text: string, caret: number): Completing | undefined {
  const before = text.slice(Math.max(0, caret - LONGEST_QUERY - 1), caret);
  const sign = before.lastIndexOf('@');
  if (sign < 0) return undefined;
  const start = caret - (before.length - sign);
  if (start > 0 && /[\p{L}\p{N}_.@]/u.test(text[start - 1] ?? '')) return undefined;
  const query = before.slice(sign + 1);
  // One space may stand within a name; a second one ends the attempt.
  if (/\n|^\s|\s\S*\s/u.test(query)) return undefined;
  return { start, query };
}

/** Who fits to a query: names that begin with it first, then words of names, then unique names. */
export function offered(all: readonly Mentionable[], query: string): Mentionable[] {
  const wanted = folded(query);
  const ranked = all.flatMap((one) => {
    const rank = fit(one, wanted);
    return rank === undefined ? [] : [{ one, rank }];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.one.name.localeCompare(b.one.name));
  return ranked.slice(0, MOST_OFFERED).map(({ one }) => one);
}

function fit(one: Mentionable, wanted: string): number | undefined {
  const name = folded(one.name);
  if (name.startsWith(wanted)) return 0;
  if (name.split(/\s+/u).some((word) => word.startsWith(wanted))) return 1;
  return one.handle !== '' && one.handle.startsWith(wanted) ? 2 : undefined;
}

/** Letters without case and in one form: Hangul typed letter by letter is found too. */
export function folded(text: string): string {
  return text.normalize('NFC').toLocaleLowerCase();
}

/** The text with the chosen name put in, and where the caret goes. */
export function complete(
  text: string,
  caret: number,
  at: Completing,
  chosen: Mentionable,
): { text: string; caret: number } {
  const name = `@${chosen.name} `;
  const rest = text.slice(caret).replace(/^ /u, '');
  return { text: text.slice(0, at.start) + name + rest, caret: at.start + name.length };
}

/** The mentions to send: wherever a chosen name still stands in the text. Starts and lengths in Unicode scalar values. */
export function mentionsIn(text: string, chosen: readonly Mentionable[], most: number): Mention[] {
  // Longer names first, so that "@Mina Kim" is not taken for "@Mina".
  const names = [...chosen].sort((a, b) => b.name.length - a.name.length);
  const found: Mention[] = [];
  let at = text.indexOf('@');
  while (at >= 0 && found.length < most) {
    const here = at;
    const one = names.find(({ name }) => stands(name, text, here + 1));
    if (one !== undefined) {
      const start = scalars(text.slice(0, here));
      const who = one.who === 'all' ? 'all' : { account: one.who };
      found.push({ who, start, length: scalars(one.name) + 1 });
    }
    at = text.indexOf('@', here + 1 + (one?.name.length ?? 0));
  }
  return found;
}

/**
 * Those whose names stand in a text that was kept without saying who is meant, at most `most`. A name that several have
 * means nobody: nothing tells which of them was chosen.
 */
export function namedIn(text: string, all: readonly Mentionable[], most: number): Mentionable[] {
  const found = new Set<Mentionable>();
  for (const { index } of text.matchAll(/(?<![\p{L}\p{N}_.@])@/gu)) {
    const fitting = all.filter(({ name }) => stands(name, text, index + 1));
    const longest = Math.max(...fitting.map(({ name }) => name.length));
    const [one, another] = fitting.filter(({ name }) => name.length === longest);
    if (one !== undefined && another === undefined) found.add(one);
    if (found.size >= most) break;
  }
  return [...found];
}

/** Whether a whole name stands there. Korean particles follow a name without a space, so letters without case may. */
function stands(name: string, text: string, at: number): boolean {
  return (
    name !== '' && text.startsWith(name, at) && !/^[\p{Lu}\p{Ll}\p{N}_]/u.test(text.slice(at + name.length))
  );
}

function scalars(text: string): number {
  return [...text].length;
}
