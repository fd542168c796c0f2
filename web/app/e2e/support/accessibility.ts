// What axe-core finds wrong with a page for people who use a keyboard, a screen reader, or little contrast.
import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** The violations on the page as it stands, one line each; empty is good. */
export async function violations(page: Page): Promise<string[]> {
  // As a program of the debugger: the page's own content policy would refuse the script.
  await page.evaluate(`${axe.source}; undefined`);
  return page.evaluate(async () => {
    const { violations: found } = await (globalThis as unknown as { axe: typeof axe }).axe.run(document);
    return found.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`),
    );
  });
}
