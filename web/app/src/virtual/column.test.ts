// The column of rows: offsets, windows, and positions that hold while rows come, go and grow.
import { describe, expect, it } from 'vitest';

import { Column } from './column';

const VIEWPORT = 300;

function column(from: number, to: number, estimate = 50): Column {
  const made = new Column();
  made.setRows(rows(from, to, estimate));
  return made;
}

function rows(from: number, to: number, estimate = 50): { key: string; estimate: number }[] {
  return Array.from({ length: to - from }, (_, at) => ({ key: String(from + at), estimate }));
}

/** Where a row is on screen. */
function onScreen(of: Column, key: string, scrollTop: number): number {
  return of.offset(of.indexOf(key)) - scrollTop;
}

describe('offsets', () => {
  it('are sums of estimates until rows are measured', () => {
    const made = column(0, 4);
    expect(made.height).toBe(200);
    expect(made.measure('1', 80.5)).toBe(true);
    expect(made.measure('1', 80.5)).toBe(false);
    expect(made.measure('unknown', 10)).toBe(false);
    expect([0, 1, 2, 3].map((at) => made.offset(at))).toEqual([0, 50, 130.5, 180.5]);
    expect(made.height).toBe(230.5);
  });

  it.each([
    [-10, 0],
    [0, 0],
    [49.9, 0],
    [50, 1],
    [199, 3],
    [9999, 3],
  ])('row at %f is %i', (y, index) => expect(column(0, 4).indexAt(y)).toBe(index));

  it('keep what was measured for rows that stay', () => {
    const made = column(0, 4);
    made.measure('3', 90);
    made.setRows(rows(2, 6));
    expect(made.offset(made.indexOf('4'))).toBe(140);
  });
});

describe('span', () => {
  it('covers viewport and margin', () =>
    expect(column(0, 100).span(1000, VIEWPORT, 100)).toEqual({ first: 18, end: 29 }));
  it('is empty without rows', () =>
    expect(column(0, 0).span(0, VIEWPORT, 100)).toEqual({ first: 0, end: 0 }));
});

describe('a reading position', () => {
  const options = { slack: 4, sticks: true };

  it('holds exactly when rows are put in above and grow', () => {
    const made = column(100, 200);
    const anchor = made.anchorAt(1010, VIEWPORT, options);
    const before = onScreen(made, '121', 1010);
    made.setRows(rows(50, 200));
    made.measure('60', 333.25);
    made.measure('99', 12);
    const scrollTop = made.scrollTopFor(anchor, VIEWPORT) ?? NaN;
    expect(onScreen(made, '121', scrollTop)).toBe(before);
  });

  it('holds the first row that is wholly visible while one that begins above it grows', () => {
    const made = column(0, 100);
    const anchor = made.anchorAt(1010, VIEWPORT, options);
    made.measure('20', 500);
    const scrollTop = made.scrollTopFor(anchor, VIEWPORT) ?? NaN;
    expect(onScreen(made, '21', scrollTop)).toBe(40);
  });

  it('falls back to the next row when the best is gone', () => {
    const made = column(0, 100);
    const anchor = made.anchorAt(1010, VIEWPORT, options);
    made.setRows(rows(0, 100).filter(({ key }) => key !== '21'));
    expect(onScreen(made, '22', made.scrollTopFor(anchor, VIEWPORT) ?? NaN)).toBe(90);
  });

  it('is lost when everything was replaced', () => {
    const made = column(0, 100);
    const anchor = made.anchorAt(1010, VIEWPORT, options);
    made.setRows(rows(500, 600));
    expect(made.scrollTopFor(anchor, VIEWPORT)).toBeUndefined();
  });

  it('at the end stays at the end', () => {
    const made = column(0, 100);
    const anchor = made.anchorAt(5000 - VIEWPORT - 3, VIEWPORT, options);
    expect(anchor).toBe('end');
    made.setRows(rows(0, 120));
    expect(made.scrollTopFor(anchor, VIEWPORT)).toBe(6000 - VIEWPORT);
  });

  it('near the end is not the end where later rows exist elsewhere', () => {
    const anchor = column(0, 100).anchorAt(5000 - VIEWPORT, VIEWPORT, { slack: 4, sticks: false });
    expect(anchor).not.toBe('end');
  });

  it('never lies outside of the column', () => {
    const made = column(0, 3);
    expect(made.scrollTopFor('end', VIEWPORT)).toBe(0);
    expect(made.scrollTopFor([{ key: '2', distance: 290 }], VIEWPORT)).toBe(0);
  });
});
