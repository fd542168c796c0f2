// That everybody can use it: no violation that axe-core finds in either theme, and the keyboard alone is enough.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { complaints, launch, logIn } from './support/browser';
import { bubble, composer, messages, open, seen } from './support/page';
import { makeScene, type Scene } from './support/scene';
import { Server } from './support/server';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let server: Server;
let browser: Browser;
let scene: Scene;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  scene = await makeScene(server.address);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  expect(complaints).toEqual([]);
});

/** What axe-core finds on the page as it is now, in short. */
async function violations(page: Page): Promise<string[]> {
  const session = await page.context().newCDPSession(page);
  // By the debugger, since the page's own policy lets no foreign script in.
  await session.send('Runtime.evaluate', { expression: AXE });
  const run = await session.send('Runtime.evaluate', {
    expression: 'axe.run(document, { resultTypes: ["violations"] }).then((found) => JSON.stringify(found))',
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  const found = JSON.parse(run.result.value as string) as AxeResults;
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')} ${failureSummary ?? ''}`),
  );
}

describe.each(['light', 'dark'] as const)('in the %s theme', (colorScheme) => {
  it('nothing is violated', async () => {
    const page = await logIn(browser, server, scene.mina, { colorScheme, reducedMotion: 'reduce' });
    await page.locator('[data-conversation]').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await open(page, scene.group);
    await seen(page, 'Great, then that is settled. Thank you both!');
    expect(await violations(page)).toEqual([]);
    await bubble(page, 'Great, then that is settled. Thank you both!').click({ button: 'right' });
    expect(await violations(page)).toEqual([]);
    await page.getByRole('menuitem', { name: 'Delivered and read' }).click();
    await page.getByRole('dialog').waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await composer(page).pressSequentially('@');
    await page.getByRole('listbox').waitFor();
    expect(await violations(page)).toEqual([]);
    await composer(page).fill('');
    await bubble(page, 'Great, then that is settled. Thank you both!').hover();
    await page.getByRole('button', { name: 'React', exact: true }).click();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await open(page, scene.direct);
    expect(await violations(page)).toEqual([]);
    await page.context().close();
  });
});

it('the keyboard alone finds, reads, answers, edits, reacts and deletes', async () => {
  const page = await logIn(browser, server, scene.mina);
  await page.locator('[data-conversation]').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('design');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('main').getByRole('heading', { name: 'Design review' }).waitFor();
  await expect.poll(() => composer(page).evaluate((box) => box === document.activeElement)).toBe(true);
  await page.keyboard.type('nice, from the keyboard');
  await page.keyboard.press('Enter');
  await seen(page, 'nice, from the keyboard');

  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await expect.poll(() => page.locator(':focus').getAttribute('aria-label')).toMatch(/^You, /);
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('r');
  await page.keyboard.type('an answer');
  await page.keyboard.press('Enter');
  await bubble(page, 'an answer').locator('.quote', { hasText: 'could you post the screenshots?' }).waitFor();
  await bubble(page, 'an answer').locator('[data-stage=sent]').waitFor();

  await page.keyboard.press('ArrowUp');
  await expect.poll(() => composer(page).inputValue()).toBe('an answer');
  await page.keyboard.type('!');
  await page.keyboard.press('Enter');
  await seen(page, 'an answer!');

  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog', { name: 'React' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await bubble(page, 'an answer!').getByRole('button', { name: 'Take back ❤️' }).waitFor();

  await page.getByRole('log').focus();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Delete');
  await page.getByRole('dialog', { name: 'Delete this message?' }).waitFor();
  await page.keyboard.press('Tab');
  await expect.poll(() => page.locator(':focus').textContent()).toContain('Cancel');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect.poll(() => messages(page)).toContain('You deleted this message.');

  await page.getByRole('log').focus();
  await page.keyboard.press('n');
  await page.keyboard.press('c');
  await expect.poll(() => composer(page).evaluate((box) => box === document.activeElement)).toBe(true);
  expect(await composer(page).inputValue()).toBe('');

  await page.getByRole('log').focus();
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Alt+ArrowDown');
  await page.waitForURL((url) => !url.pathname.includes(scene.group));
  await page.context().close();
});
