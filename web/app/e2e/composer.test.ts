// The box to write in: Korean, long texts, drafts over devices, lines, hostile texts.
import type { CDPSession } from 'playwright-core';
import { describe, expect, it } from 'vitest';

import { bubble, composer, messages, open, say, seen } from './support/page';
import { at, direct, joon, mina, setUpPair } from './support/pair';

setUpPair();

describe('Korean', () => {
  /** Composes syllable by syllable as an input method does; the last one stays open. */
  async function compose(session: CDPSession, steps: readonly string[]): Promise<void> {
    for (const text of steps) {
      await session.send('Input.imeSetComposition', {
        text,
        selectionStart: text.length,
        selectionEnd: text.length,
      });
    }
  }

  it('is neither doubled nor lost when Enter ends the composition', async () => {
    const page = await at(mina);
    const session = await page.context().newCDPSession(page);
    await composer(page).focus();
    await compose(session, ['ㅇ', '아', '안']);
    await session.send('Input.insertText', { text: '안' });
    await compose(session, ['ㄴ', '녀', '녕']);
    // The key that ends a composition is no wish to send.
    await composer(page).dispatchEvent('keydown', {
      key: 'Enter',
      keyCode: 229,
      isComposing: true,
      bubbles: true,
    });
    expect(await messages(page)).toEqual([]);
    await session.send('Input.insertText', { text: '녕' });
    await page.keyboard.press('Enter');
    await seen(page, '안녕');
    expect(await composer(page).inputValue()).toBe('');
    expect(await messages(page)).toEqual(['안녕']);
  });

  it('is neither doubled nor lost when the button sends while a syllable is open', async () => {
    const page = await at(mina);
    const session = await page.context().newCDPSession(page);
    await composer(page).focus();
    await session.send('Input.insertText', { text: '안' });
    await compose(session, ['ㄴ', '녀', '녕']);
    await page.getByRole('button', { name: 'Send' }).click();
    await seen(page, '안녕');
    expect(await composer(page).inputValue()).toBe('');
    await session.send('Input.insertText', { text: '또' });
    expect(await composer(page).inputValue()).toBe('또');
    expect(await messages(page)).toEqual(['안녕']);
  });
});

it('Enter sends, Shift and Enter make a line, and the box grows to eight lines', async () => {
  const page = await at(mina);
  const height = async (): Promise<number> => (await composer(page).boundingBox())?.height ?? 0;
  const one = await height();
  for (let line = 1; line <= 20; line += 1) {
    await composer(page).pressSequentially(`line ${line}`);
    if (line < 20) await page.keyboard.press('Shift+Enter');
    if (line === 3) expect(await height()).toBeGreaterThan(one + 30);
  }
  expect(await height()).toBeLessThan(one * 5);
  await page.keyboard.press('Enter');
  await page.locator('article').waitFor();
  expect((await messages(page))[0]?.split('\n')).toHaveLength(20);
  expect(await height()).toBe(one);
});

it('a text that is too long says by how much, in bytes, and is not sent', async () => {
  const page = await at(mina);
  const paste = (text: string): Promise<void> =>
    composer(page).evaluate((box, pasted) => {
      (box as HTMLTextAreaElement).focus();
      document.execCommand('insertText', false, pasted);
    }, text);
  await paste('한'.repeat(5_461));
  await page.getByText('16,383 / 16,384').waitFor();
  await paste('글');
  await page.getByRole('alert').getByText('Too long by 2 bytes').waitFor();
  await page.keyboard.press('Enter');
  expect(await messages(page)).toEqual([]);
  await page.keyboard.press('Backspace');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Show all' }).waitFor();
  await page.getByRole('button', { name: 'Show all' }).click();
  expect((await messages(page))[0]).toBe('한'.repeat(5_461));
});

describe('a draft', () => {
  it('is kept per conversation, shown in the list, and taken over by another device', async () => {
    const other = await mina.group('Other', [joon]);
    const page = await at(mina);
    await composer(page).pressSequentially('half a thought');
    await page.locator(`[data-conversation="${other}"]`).click();
    await page.getByRole('heading', { name: 'Other' }).waitFor();
    expect(await composer(page).inputValue()).toBe('');
    await page.locator(`[data-conversation="${direct}"]`, { hasText: 'Draft: half a thought' }).waitFor();

    const second = await at(mina);
    await expect.poll(() => composer(second).inputValue()).toBe('half a thought');
    await composer(second).fill('a whole thought');
    await composer(second).blur();
    await open(page, direct);
    await expect.poll(() => composer(page).inputValue()).toBe('a whole thought');
    await composer(page).press('Enter');
    await expect.poll(() => composer(second).inputValue()).toBe('');
  });
});

describe('hostile texts', () => {
  const TEXTS: readonly [string, string][] = [
    ['HTML', '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script><b>bold</b>'],
    [
      'script links',
      'javascript:window.hacked=1 [x](javascript:alert(1)) data:text/html,<script>window.hacked=1</script>',
    ],
    ['bidi overrides', '\u202e\u2066 gnp.exe \u202d\u2067 end'],
    ['combining marks', 'Z' + '\u0335\u0321\u0322\u0489'.repeat(400)],
    ['16 KiB of one letter', 'W'.repeat(16_384)],
    ['500 emoji', '👩‍👩‍👧‍👦'.repeat(500)],
    ['stars', '*'.repeat(16_384)],
    ['many lines', 'x\n'.repeat(8_000)],
    ['an address without end', 'https://example.com/' + 'a'.repeat(4_000)],
  ];
  it.each(TEXTS)('%s: nothing runs, nothing breaks out', async (_, text) => {
    const sent = text.trim();
    await joon.send(direct, sent);
    const page = await at(mina);
    await page.setViewportSize({ width: 360, height: 740 });
    await page.locator('article').waitFor();
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
    expect(await page.locator('article img, article script, article b, article [onerror]').count()).toBe(0);
    for (const link of await page.locator('article a').all()) {
      expect(await link.getAttribute('href')).toMatch(/^https?:/);
      expect(await link.getAttribute('rel')).toBe('noopener noreferrer nofollow');
    }
    const unfold = page.getByRole('button', { name: 'Show all' });
    if ((await unfold.count()) > 0) await unfold.click();
    expect((await messages(page))[0]).toBe(sent);
    const inside = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      const log = document.querySelector('[role=log]');
      return scrollWidth <= clientWidth && log !== null && log.scrollWidth <= log.clientWidth;
    });
    expect(inside).toBe(true);
    await say(page, 'still here');
    await seen(page, 'still here');
    await bubble(page, 'still here')
      .locator('[data-stage=sent],[data-stage=delivered],[data-stage=read]')
      .waitFor();
  });
});
