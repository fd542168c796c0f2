// What tests do and look at on a page, in the words of somebody who uses it.
import type { Locator, Page } from 'playwright-core';

/** Opens a conversation from the list. */
export async function open(page: Page, conversation: string): Promise<void> {
  await page.locator(`[data-conversation="${conversation}"]`).click();
  await composer(page).waitFor();
}

/** The box to write in. */
export function composer(page: Page): Locator {
  return page.locator('.composer textarea');
}

/** Writes and sends. */
export async function say(page: Page, text: string): Promise<void> {
  await composer(page).fill(text);
  await composer(page).press('Enter');
}

/** The message with exactly this text, as it is shown. */
export function bubble(page: Page, text: string): Locator {
  return page.locator('article', { has: page.getByText(text, { exact: true }).or(exactly(page, text)) });
}

function exactly(page: Page, text: string): Locator {
  return page
    .locator('.text')
    .filter({ hasText: new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&')}\\s*$`, 'u') });
}

/** Waits until a message with this text is there. */
export async function seen(page: Page, text: string): Promise<void> {
  await bubble(page, text).first().waitFor();
}

/** The texts of the rendered messages, from top to bottom. */
export async function messages(page: Page): Promise<string[]> {
  const texts = await page.locator('article .text').allTextContents();
  return texts.map((text) => text.trim());
}
