// A column of rows of different heights: where each row is, and how a reading position survives every change above it.

import type { Span } from './fixed';

/** A row as the column sees it. */
export interface ColumnRow {
  /** Unique within the column and the same as long as it is the same row. */
  key: string;
  /** Pixels, until it was rendered and measured. */
  estimate: number;
}

/** A place to read: the end, or rows with their distances from the top of the viewport in pixels, best first. */
export type Anchor = 'end' | readonly { key: string; distance: number }[];

/** Heights and offsets of all rows. Cost of a change: one pass over the rows, of which a timeline holds some hundreds. */
export class Column {
  private rows: readonly ColumnRow[] = [];
  private index = new Map<string, number>();
  private readonly measured = new Map<string, number>();
  /** `offsets[i]` is where row i begins; the last one is the whole height. */
  private offsets = new Float64Array(1);
  private stale = false;

  /** Replaces the rows. What was measured is kept for rows that stay; the rest is forgotten. */
  setRows(rows: readonly ColumnRow[]): void {
    this.rows = rows;
    this.index = new Map(rows.map((row, at) => [row.key, at]));
    for (const key of this.measured.keys()) if (!this.index.has(key)) this.measured.delete(key);
    this.stale = true;
  }

  /** Takes in a rendered height, pixels; tells whether that moved anything. */
  measure(key: string, height: number): boolean {
    if (!this.index.has(key) || this.measured.get(key) === height) return false;
    this.measured.set(key, height);
    this.stale = true;
    return true;
  }

  /** How many rows there are. */
  get length(): number {
    return this.rows.length;
  }

  /** The height of all rows. */
  get height(): number {
    return this.settled()[this.rows.length] ?? 0;
  }

  /** Where a row begins. */
  offset(index: number): number {
    return this.settled()[index] ?? 0;
  }

  /** The position of a row, -1 where it is not in the column. */
  indexOf(key: string): number {
    return this.index.get(key) ?? -1;
  }

  /** The row that covers this height; the first or last one beyond the ends. */
  indexAt(y: number): number {
    const offsets = this.settled();
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((offsets[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The rows within `margin` pixels of the viewport. */
  span(scrollTop: number, viewport: number, margin: number): Span {
    if (this.rows.length === 0) return { first: 0, end: 0 };
    return { first: this.indexAt(scrollTop - margin), end: this.indexAt(scrollTop + viewport + margin) + 1 };
  }

  /** The place that is read at this scroll position; within `slack` pixels of the end it is the end, if `sticks`. */
  anchorAt(scrollTop: number, viewport: number, options: { slack: number; sticks: boolean }): Anchor {
    if (options.sticks && scrollTop + viewport >= this.height - options.slack) return 'end';
    const { first, end } = this.span(scrollTop, viewport, 0);
    const anchors = this.rows.slice(first, end).map((row, at) => ({
      key: row.key,
      distance: this.offset(first + at) - scrollTop,
    }));
    // A row that began above the viewport may grow there: better to hold on to what is wholly visible.
    const whole = anchors.findIndex(({ distance }) => distance >= 0);
    return whole > 0 ? [...anchors.slice(whole), ...anchors.slice(0, whole).reverse()] : anchors;
  }

  /** The scroll position at which the anchor is where it was; undefined where none of its rows is left. */
  scrollTopFor(anchor: Anchor, viewport: number): number | undefined {
    const furthest = Math.max(0, this.height - viewport);
    if (anchor === 'end') return furthest;
    const held = anchor.find(({ key }) => this.index.has(key));
    if (held === undefined) return undefined;
    return Math.max(0, Math.min(this.offset(this.indexOf(held.key)) - held.distance, furthest));
  }

  private settled(): Float64Array {
    if (!this.stale) return this.offsets;
    const offsets = new Float64Array(this.rows.length + 1);
    let sum = 0;
    this.rows.forEach((row, at) => {
      offsets[at] = sum;
      sum += this.measured.get(row.key) ?? row.estimate;
    });
    offsets[this.rows.length] = sum;
    this.offsets = offsets;
    this.stale = false;
    return offsets;
  }
}
