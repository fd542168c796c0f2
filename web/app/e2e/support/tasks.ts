// What a page costs its processor: how long the tasks of its main thread ran there. Unlike time by the clock this says
// something on a machine that does other things as well.
import type { Browser, Page } from 'playwright-core';

/** Processor time, in milliseconds. */
export interface Cost {
  /** The longest task: nothing could be drawn or typed meanwhile. */
  longest: number;
  /** All tasks together, for a second by the clock. */
  perSecond: number;
}

/** An event of Chromium's trace, as far as it is read here; times in microseconds. */
interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  ts: number;
  tdur?: number;
  args?: { name?: string };
}

const TASK = 'ThreadControllerImpl::RunTask';
const MAIN = 'CrRendererMain';

/** Measures what the page's main thread does while `act` runs. */
export async function costOf(browser: Browser, page: Page, act: () => Promise<void>): Promise<Cost> {
  await browser.startTracing(page, { categories: ['-*', 'toplevel'] });
  await act();
  const trace = await browser.stopTracing();
  return busiest((JSON.parse(trace.toString()) as { traceEvents: TraceEvent[] }).traceEvents);
}

/** Of the pages in a trace the one that did most; the others are those of other tests, and idle. */
function busiest(events: readonly TraceEvent[]): Cost {
  const tasks = events.filter(({ name, ph }) => name === TASK && ph === 'X');
  const begin = tasks.reduce((first, { ts }) => Math.min(first, ts), Infinity);
  const end = tasks.reduce((last, { ts }) => Math.max(last, ts), 0);
  const costs = events
    .filter(({ name, ph, args }) => ph === 'M' && name === 'thread_name' && args?.name === MAIN)
    .map((thread) => {
      const own = tasks.filter(({ pid, tid }) => pid === thread.pid && tid === thread.tid);
      const times = own.map(({ tdur = 0 }) => tdur / 1_000);
      const longest = times.reduce((most, time) => Math.max(most, time), 0);
      const all = times.reduce((sum, time) => sum + time, 0);
      return { longest, perSecond: all / ((end - begin) / 1_000_000) };
    });
  return costs.reduce((most, one) => (one.perSecond > most.perSecond ? one : most));
}
