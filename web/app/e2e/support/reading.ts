// Reading a whole conversation from the page, though only what is on screen is rendered.
import type { Page } from 'playwright-core';

/**
 * Every text of the open conversation from the first to the last, gathered by scrolling from the newest to the oldest. A
 * text that stands in two places is there twice; neighbours that change their order between two screens are an error.
 */
export async function wholeConversation(page: Page): Promise<string[]> {
  const screens = await page.getByRole('log').evaluate(async (scroller) => {
    const frame = (): Promise<unknown> => new Promise((done) => requestAnimationFrame(done));
    const rows = (): [string, string][] =>
      [...scroller.querySelectorAll('[data-key]')].flatMap((row) => {
        const text = row.querySelector('article .text')?.textContent.trim();
        return text === undefined ? [] : [[(row as HTMLElement).dataset['key'] ?? '', text]];
      });
    scroller.scrollTop = scroller.scrollHeight;
    for (let frames = 0; frames < 10; frames += 1) await frame();
    const found = [rows()];
    // Earlier pages arrive while scrolling: the top is reached when it stays the top.
    for (let still = 0, turn = 0; still < 30 && turn < 2_000; turn += 1) {
      const before = scroller.scrollTop;
      scroller.scrollTop -= scroller.clientHeight / 3;
      for (let frames = 0; frames < 2; frames += 1) await frame();
      still = scroller.scrollTop === before ? still + 1 : 0;
      found.push(rows());
    }
    scroller.scrollTop = scroller.scrollHeight;
    for (let frames = 0; frames < 10; frames += 1) await frame();
    return found;
  });
  return joined(screens).map(([, text]) => text);
}

/** Screens from the last to the first, each overlapping the one before, as one list. */
function joined(screens: readonly (readonly [string, string][])[]): [string, string][] {
  const whole = new Map<string, string>();
  for (const screen of screens) {
    const known = screen.map(([key]) => key).filter((key) => whole.has(key));
    const places = [...whole.keys()].filter((key) => known.includes(key));
    if (places.join() !== known.join())
      throw new Error(`the order changed: ${places.join()} to ${known.join()}`);
    const earlier = screen.filter(([key]) => !whole.has(key));
    const later = [...whole];
    whole.clear();
    for (const [key, text] of [...earlier, ...later]) whole.set(key, text);
  }
  return [...whole];
}
