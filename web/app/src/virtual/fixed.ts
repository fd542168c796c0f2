// Which rows of a long list are on screen where all rows are equally high.

/** Rows `first` up to but not including `end`. */
export interface Span {
  first: number;
  end: number;
}

/** What a list of equal rows looks like through its viewport; all heights in pixels. */
export interface FixedView {
  scrollTop: number;
  viewport: number;
  rowHeight: number;
  count: number;
  /** How many rows beyond both edges are rendered, so that scrolling shows no gaps. */
  overscan: number;
}

/** The rows to render. Positions beyond the ends, as elastic scrolling gives them, count as the ends. */
export function visibleSpan({ scrollTop, viewport, rowHeight, count, overscan }: FixedView): Span {
  const top = Math.max(0, Math.min(scrollTop, count * rowHeight - viewport));
  const first = Math.max(0, Math.floor(top / rowHeight) - overscan);
  const end = Math.min(count, Math.ceil((top + viewport) / rowHeight) + overscan);
  return { first, end };
}

/** Where to scroll so that a row is wholly visible with as little movement as possible. */
export function revealing(index: number, { scrollTop, viewport, rowHeight }: FixedView): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewport) return top + rowHeight - viewport;
  return scrollTop;
}
