/** A set of sequence numbers as ranges: which entries of a conversation the cache holds. Pure; values never change. */

/** Ascending ranges, both ends included, that neither overlap nor touch. */
export type Ranges = readonly (readonly [from: number, to: number])[];

/** The highest number; absent where there is none. */
export function last(ranges: Ranges): number | undefined {
  return ranges.at(-1)?.[1];
}

/** The range that `seq` lies in. */
export function around(ranges: Ranges, seq: number): readonly [number, number] | undefined {
  return ranges.find(([from, to]) => from <= seq && seq <= to);
}

/** Whether `seq` is in it. */
export function contains(ranges: Ranges, seq: number): boolean {
  return around(ranges, seq) !== undefined;
}

/** Whether everything from `from` to `to` is in it; true for an empty stretch. */
export function covers(ranges: Ranges, from: number, to: number): boolean {
  return from > to || to <= (around(ranges, from)?.[1] ?? -1);
}

/** The first stretch from `from` to `to` that is not in it. */
export function firstHole(ranges: Ranges, from: number, to: number): readonly [number, number] | undefined {
  const start = (around(ranges, from)?.[1] ?? from - 1) + 1;
  if (start > to) return undefined;
  const next = ranges.find(([begin]) => begin > start);
  return [start, next ? Math.min(to, next[0] - 1) : to];
}

/** With everything from `from` to `to` in it; the same where `from > to`. */
export function insert(ranges: Ranges, from: number, to: number): Ranges {
  if (from > to) return ranges;
  const before = ranges.filter((range) => range[1] + 1 < from);
  const after = ranges.filter((range) => range[0] > to + 1);
  const touching = ranges.slice(before.length, ranges.length - after.length);
  const merged: [number, number] = [from, to];
  for (const [begin, end] of touching) {
    merged[0] = Math.min(merged[0], begin);
    merged[1] = Math.max(merged[1], end);
  }
  return [...before, merged, ...after];
}

/** The highest number below `seq`. */
export function lastBelow(ranges: Ranges, seq: number): number | undefined {
  const below = ranges.filter(([from]) => from < seq).at(-1);
  return below && Math.min(below[1], seq - 1);
}

/** Where the newest `count` ranges begin; absent where there are no more than that. */
export function startOfNewest(ranges: Ranges, count: number): number | undefined {
  return ranges.length > count ? ranges[ranges.length - count]?.[0] : undefined;
}

/** Without everything below `first`. */
export function keepFrom(ranges: Ranges, first: number): Ranges {
  return ranges.filter(([, to]) => to >= first).map(([from, to]) => [Math.max(from, first), to] as const);
}
