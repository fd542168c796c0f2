// The screens beside the conversations, as somebody uses them in tests.
import type { Locator, Page } from 'playwright-core';

/** Goes to a path of the app without loading it anew, as a link would. */
export async function visit(page: Page, path: string): Promise<void> {
  await page.evaluate((target) => {
    history.pushState({ depth: 1 }, '', target);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path);
  await page.locator('main h1').waitFor();
}

/** The row of a person, by a part of its text. */
export function person(page: Page, text: string): Locator {
  return page.locator('main li').filter({ hasText: text });
}

/** Presses a button by its exact label. */
export async function press(where: Page | Locator, label: string): Promise<void> {
  await where.getByRole('button', { name: label, exact: true }).click();
}

/** Agrees to the open question. */
export async function agree(page: Page, label: string): Promise<void> {
  await press(page.getByRole('dialog'), label);
  await page.getByRole('dialog').waitFor({ state: 'detached' });
}

/** Opens the menu of a row and chooses from it. */
export async function choose(page: Page, row: Locator, label: string): Promise<void> {
  await row.locator('[aria-haspopup=menu]').click();
  await page.getByRole('menuitem', { name: label, exact: true }).click();
}
