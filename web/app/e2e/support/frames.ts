// How long a page keeps people waiting, as the browser itself measures it.
import type { Page } from 'playwright-core';

interface Recorded {
  tasks: number[];
  inputs: number[];
}

/** Begins to record tasks that hold up frames, and the time from each input to the frame that shows it. */
export async function recordFrames(page: Page): Promise<void> {
  await page.evaluate(() => {
    const recorded: Recorded = { tasks: [], inputs: [] };
    Object.assign(window, recorded);
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) recorded.tasks.push(entry.duration);
    }).observe({ type: 'long-animation-frame', buffered: false });
    const inputs: PerformanceObserverInit & { durationThreshold: number } = {
      type: 'event',
      durationThreshold: 16,
    };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.name === 'keydown' || entry.name === 'input') recorded.inputs.push(entry.duration);
      }
    }).observe(inputs);
  });
}

/** The longest frame since `recordFrames`, milliseconds; frames below 50 count as 0. */
export async function longestFrame(page: Page): Promise<number> {
  return page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
    return Math.max(0, ...(window as unknown as Recorded).tasks);
  });
}

/** The longest time from an input to the frame that shows it since `recordFrames`, milliseconds; below 16 it is 0. */
export async function longestInput(page: Page): Promise<number> {
  return page.evaluate(() => Math.max(0, ...(window as unknown as Recorded).inputs));
}
