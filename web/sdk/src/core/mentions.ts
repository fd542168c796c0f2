/** Mentions count Unicode scalar values, JavaScript counts UTF-16 units: from one to the other. Pure. */

import type { Mention } from '../wire.js';

/** How many scalar values the first `units` UTF-16 units of a text are; half a pair counts as one. */
export function scalarsBefore(text: string, units: number): number {
  let scalars = 0;
  for (let unit = 0; unit < Math.min(units, text.length); scalars += 1) unit += unitsAt(text, unit);
  return scalars;
}

/** How many UTF-16 units the first `scalars` scalar values of a text are. */
export function unitsBefore(text: string, scalars: number): number {
  let unit = 0;
  for (let scalar = 0; scalar < scalars && unit < text.length; scalar += 1) unit += unitsAt(text, unit);
  return unit;
}

/** A mention of the UTF-16 units from `start` to `end` of a text, the end not included. */
export function mentionOf(who: Mention['who'], text: string, start: number, end: number): Mention {
  const first = scalarsBefore(text, start);
  return { who, start: first, length: scalarsBefore(text, end) - first };
}

/** Where a mention stands in a text, in UTF-16 units, the end not included; absent where it lies outside. */
export function mentionedUnits(text: string, mention: Mention): { start: number; end: number } | undefined {
  if (mention.length === 0 || mention.start + mention.length > scalarsBefore(text, text.length))
    return undefined;
  const start = unitsBefore(text, mention.start);
  return { start, end: unitsBefore(text, mention.start + mention.length) };
}

function unitsAt(text: string, unit: number): number {
  return (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1;
}
