// Which equal rows are rendered, at the ends and in between.
import { describe, expect, it } from 'vitest';

import { revealing, visibleSpan } from './fixed';

const view = { scrollTop: 0, viewport: 700, rowHeight: 70, count: 1000, overscan: 2 };

describe('visibleSpan', () => {
  it.each([
    [{}, 0, 12],
    [{ scrollTop: 35 }, 0, 13],
    [{ scrollTop: 7000 }, 98, 112],
    [{ scrollTop: 70_000 - 700 }, 988, 1000],
    [{ scrollTop: 1e9 }, 988, 1000],
    [{ scrollTop: -80 }, 0, 12],
    [{ count: 3 }, 0, 3],
    [{ count: 0 }, 0, 0],
  ])('%o', (change, first, end) => expect(visibleSpan({ ...view, ...change })).toEqual({ first, end }));
});

describe('revealing', () => {
  it.each([
    [0, 700, 0],
    [10, 0, 70],
    [5, 0, 0],
    [12, 700, 700],
  ])('row %i from %i', (index, scrollTop, expected) =>
    expect(revealing(index, { ...view, scrollTop })).toBe(expected),
  );
});
