// What people with bad intentions write: nothing of it runs, nothing of it breaks the page, on a wide screen and on a phone.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { composer, open, say } from './support/page';
import { visit } from './support/panels';
import { Server } from './support/server';

/** What would run marks itself. */
const ATTACK = 'globalThis.ran=true;alert(1)';

const TEXTS: readonly string[] = [
  `<script>${ATTACK}</script>`,
  `<img src=x onerror="${ATTACK}">`,
  `<svg onload="${ATTACK}"><style>*{display:none}</style>`,
  `<iframe srcdoc="<script>parent.${ATTACK}</script>"></iframe>`,
  `"><b onmouseover='${ATTACK}'>bold</b>`,
  `javascript:${ATTACK}`,
  `[press](javascript:${ATTACK}) <javascript:${ATTACK}>`,
  `https://suda.chat/"onclick="${ATTACK}`,
  `data:text/html,<script>${ATTACK}</script>`,
  `**<u>** ~~\`<i>\`~~ {@html '<b>x</b>'} {{constructor.constructor('${ATTACK}')()}}`,
  'invoice \u202egnp.exe\u202c and \u202eon and on, never closed',
  '\u2067\u2067\u2067isolates that are never closed',
  'W'.repeat(16 * 1024),
  'ㅋ'.repeat(5_000),
  '😀👨‍👩‍👧‍👦🇰🇷👩🏽‍🚀🧑‍💻'.repeat(100),
  `Z̸̢̛${'\u0335\u0321\u0322\u0363\u036f'.repeat(400)}algo`,
  'مرحبا بالعالم **שלום** with English in between, 123 456',
  '\n'.repeat(200) + 'far below',
  '# '.repeat(2_000),
  `https://suda.chat/${'long/'.repeat(400)}`,
  '`'.repeat(1_000),
  '*'.repeat(4_000),
  '\u0000\u0007\u200b\u2028\u2029\ufeff and nothing',
];

/** Titles and names, which servers limit in length and characters. */
const WIDE_NAME = '﷽'.repeat(32) + 'Ꙭ'.repeat(32);
const TITLE = 'Payroll ‏שלום مرحبا <img src=x onerror=alert(1)> ' + '𒐫'.repeat(60);

let server: Server;
let browser: Browser;
let mina: Account;
let mallory: Account;
let direct: string;
let group: string;
let lastSent: number;
let page: Page | undefined;
const ran: string[] = [];

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  mina = await Account.signUp(server.address, 'mina', 'Mina Kim');
  mallory = await Account.signUp(server.address, 'mallory', WIDE_NAME);
  direct = await mallory.direct(mina);
  await expect(mallory.group('Payroll \u202etxt.exe', [mina])).rejects.toThrow('400');
  group = await mallory.group(TITLE, [mina]);
  for (const conversation of [direct, group])
    for (const text of TEXTS) lastSent = await mallory.send(conversation, text);
}, 120_000);

afterEach(async () => {
  await page?.context().close();
  expect(complaints.splice(0)).toEqual([]);
  expect(ran.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Logs in, and notes whatever runs or is complained about. */
async function enter(width: number): Promise<Page> {
  const entered = await logIn(browser, server, mina, { viewport: { width, height: 740 } });
  entered.on('dialog', (dialog) => {
    ran.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  entered.on('console', (message) => {
    if (message.type() === 'error') ran.push(`console: ${message.text()}`);
  });
  entered.on('popup', () => ran.push('popup'));
  page = entered;
  return entered;
}

/** What is wrong with the page as it is on screen now. */
async function faults(on: Page): Promise<string[]> {
  return on.evaluate(() => {
    const found: string[] = [];
    const root = document.documentElement;
    if ('ran' in globalThis) found.push('something ran');
    if (root.scrollWidth > innerWidth) found.push(`the page is ${root.scrollWidth} wide`);
    const made =
      'article :is(script, img, iframe, style, b, u, i, object, form, [onclick], [onerror], [style*=display])';
    for (const element of document.querySelectorAll(made))
      found.push(`made: ${element.outerHTML.slice(0, 80)}`);
    for (const link of document.querySelectorAll<HTMLAnchorElement>('article a'))
      if (!/^https?:$/u.test(link.protocol) || !/noopener|noreferrer/u.test(link.rel))
        found.push(`link: ${link.outerHTML.slice(0, 80)}`);
    const log = document.querySelector('[role=log]');
    if (log !== null && log.scrollWidth > log.clientWidth) found.push(`messages are ${log.scrollWidth} wide`);
    const column = log?.getBoundingClientRect();
    for (const bubble of document.querySelectorAll('article .bubble')) {
      const { left, right } = bubble.getBoundingClientRect();
      const start = bubble.textContent.trim().slice(0, 20);
      // A letter with a thousand marks is wider than any line, and must be cut.
      if (getComputedStyle(bubble).overflow !== 'clip') found.push('a bubble does not hold its text');
      if (column !== undefined && (left < column.left || right > column.right))
        found.push(`outside: ${start}`);
      for (const part of bubble.querySelectorAll('.below, .name')) {
        const box = part.getBoundingClientRect();
        if (box.left < left - 1 || box.right > right + 1) found.push(`outside its bubble: ${start}`);
      }
    }
    // What turns the direction of writing must not reach beyond its element.
    for (const part of document.querySelectorAll('article .body, [data-conversation] .title, bdi, h1[dir]'))
      if (!/isolate|plaintext/u.test(getComputedStyle(part).unicodeBidi))
        found.push(`not isolated: ${part.outerHTML.slice(0, 80)}`);
    for (const row of document.querySelectorAll('[data-conversation]'))
      if (row.getBoundingClientRect().height > 100) found.push('a row of the list is too high');
    return found;
  });
}

/** Goes through the open conversation from its end to its beginning; every fault on the way. */
async function faultsOnTheWay(on: Page): Promise<string[]> {
  const log = on.getByRole('log');
  const found = new Set<string>();
  for (let turn = 0, still = 0; still < 5 && turn < 400; turn += 1) {
    for (const fault of await faults(on)) found.add(fault);
    still = await log.evaluate(async (scroller, before) => {
      const from = scroller.scrollTop;
      scroller.scrollTop -= scroller.clientHeight * 0.7;
      for (let frame = 0; frame < 3; frame += 1) await new Promise((done) => requestAnimationFrame(done));
      return scroller.scrollTop === from ? before + 1 : 0;
    }, still);
  }
  return [...found];
}

for (const width of [1280, 360]) {
  it(`nothing runs and nothing breaks at ${width} pixels`, async () => {
    const on = await enter(width);
    for (const conversation of [direct, group]) {
      if (conversation === group && width === 360) await on.getByRole('button', { name: 'Back' }).click();
      await on.locator(`[data-conversation="${conversation}"]`).waitFor();
      expect(await faults(on)).toEqual([]);
      await open(on, conversation);
      await on.locator('article').first().waitFor();
      const newest = on.locator('button.newest');
      if ((await newest.count()) > 0) await newest.click();
      expect(await faultsOnTheWay(on)).toEqual([]);
    }
  }, 120_000);

  it(`a message of 16 KiB of one letter can be unfolded at ${width} pixels`, async () => {
    const letters = await mina.group('Letters', [mallory]);
    await mallory.send(letters, 'W'.repeat(16 * 1024));
    const on = await enter(width);
    await open(on, letters);
    await on.getByRole('button', { name: 'Show all' }).click();
    await on.getByRole('button', { name: 'Show less' }).waitFor({ state: 'attached' });
    await expect
      .poll(async () => (await on.locator('article .text').last().textContent())?.trim().length)
      .toBe(16 * 1024);
    expect(await faultsOnTheWay(on)).toEqual([]);
  }, 60_000);

  it(`names and titles break no panel and no title of the page at ${width} pixels`, async () => {
    const on = await enter(width);
    for (const path of [`/c/${direct}/details`, `/c/${group}/details`, '/contacts', '/new']) {
      await visit(on, path);
      expect(await faults(on), path).toEqual([]);
      expect(await on.locator('main :is(img, b, u, script)').count(), path).toBe(0);
    }
    await mallory.send(direct, `<title>${ATTACK}</title>`);
    await expect.poll(() => on.title()).toMatch(/^(\(\d+\) )?Suda$/u);
  }, 60_000);
}

it('what one writes oneself is no better treated', async () => {
  const on = await enter(1280);
  const own = await mina.group('Own', [mallory]);
  await open(on, own);
  for (const text of TEXTS.slice(0, 12)) await say(on, text);
  await expect.poll(() => on.locator('[data-stage=pending]').count()).toBe(0);
  await composer(on).fill(TEXTS[1] ?? '');
  expect(await faultsOnTheWay(on)).toEqual([]);
  expect(lastSent).toBeGreaterThan(TEXTS.length);
}, 60_000);
