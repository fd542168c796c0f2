// How the client feels under load: long conversations, bursts of marks, a flood of messages. Apart from the other tests,
// since it takes minutes: `npm run performance`. Prints the figures as JSON: by the clock, which is worth something only on a
// machine that does nothing else, and as time of the processor, which is what is asserted; `SUDA_E2E_SLOW` multiplies the
// bounds where a processor is slower, `SUDA_FIGURES_ENTRIES` shortens the long conversation.
import { loadavg } from 'node:os';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { longestFrame, longestInput, recordFrames } from './support/frames';
import { composer, messages, open, seen } from './support/page';
import { Server } from './support/server';
import { costOf, type Cost } from './support/tasks';

const SLOW = Number(process.env['SUDA_E2E_SLOW'] ?? 1);
const FRAME_MILLISECONDS = 50 * SLOW;
const OPENING_MILLISECONDS = 100 * SLOW;
const GROWTH_BYTES = 4 * 1024 * 1024;
const ENTRIES = Number(process.env['SUDA_FIGURES_ENTRIES'] ?? 50_000);
const OPENINGS = 5;
/** So many turns of the wheel through the long conversation. */
const TURNS = 500;
const FLOOD_PER_SECOND = 100;
const FLOOD_SECONDS = 30;

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([
    Server.start(['--rate-account-per-second', '100000', '--rate-account-burst', '100000']),
    launch(),
  ]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
  expect(complaints).toEqual([]);
});

/** Runs a job for each item, some at a time. */
async function each<T>(
  items: Iterable<T>,
  atOnce: number,
  job: (item: T) => Promise<unknown>,
): Promise<void> {
  const all = items[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (let next = all.next(); next.done !== true; next = all.next()) await job(next.value);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

function* numbers(from: number, to: number): Iterable<number> {
  for (let number = from; number <= to; number += 1) yield number;
}

/** Bytes of the page's memory that are in use, after a collection of garbage. */
async function memory(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}

/** Prints figures, with how busy the machine is. */
function report(what: string, figures: Record<string, unknown>, cost: Cost): void {
  const processor = { longestTask: Math.round(cost.longest), aSecond: Math.round(cost.perSecond) };
  console.log(JSON.stringify({ what, ...figures, processor, load: Number(loadavg()[0]?.toFixed(1)) }));
}

it('a group of 100 in which all read at once', async () => {
  const mina = await Account.signUp(server.address, 'mina.group', 'Mina');
  const others: Account[] = [];
  await each(numbers(1, 99), 8, async (number) => {
    others.push(await Account.signUp(server.address, `member${number}`, `Member ${number}`));
  });
  const group = await mina.group('Everybody', others);
  for (let count = 1; count <= 50; count += 1) await mina.send(group, `message ${count}`);
  const page = await logIn(browser, server, mina);
  await open(page, group);
  await seen(page, 'message 50');
  await recordFrames(page);
  const cost = await costOf(browser, page, async () => {
    await each(others, 99, (other) => other.read(group, 51));
    await page.locator('article').last().locator('[data-stage=read]').waitFor();
  });
  report('all read', { longestFrame: await longestFrame(page) }, cost);
  expect(cost.longest).toBeLessThanOrEqual(FRAME_MILLISECONDS);
  await page.context().close();
});

/** An account with a short and a long conversation, all of it read; and the page that shows the short one. */
async function longAndShort(): Promise<{ page: Page; long: string; short: string }> {
  const mina = await Account.signUp(server.address, 'mina.long', 'Mina');
  const joon = await Account.signUp(server.address, 'joon.long', 'Joon');
  const short = await mina.group('Short', [joon]);
  const long = await mina.direct(joon);
  await mina.send(short, 'nothing much');
  await each(numbers(1, ENTRIES), 64, (number) =>
    joon.send(long, `entry ${number} ${'of some length '.repeat(number % 9)}`),
  );
  const detail = await mina.request<{ row: { head: number } }>('conversation', { conversation: long });
  await mina.read(long, detail.row.head);
  const page = await logIn(browser, server, mina);
  await open(page, short);
  await seen(page, 'nothing much');
  return { page, long, short };
}

/** From the press to the frame after the one that shows the messages, in milliseconds by the clock. */
async function opening(page: Page, conversation: string): Promise<number> {
  return page.evaluate(async (wanted) => {
    const started = performance.now();
    document.querySelector<HTMLElement>(`[data-conversation="${wanted}"]`)?.click();
    while (document.querySelectorAll('article').length < 8)
      await new Promise((done) => requestAnimationFrame(done));
    return performance.now() - started;
  }, conversation);
}

/** Turns the wheel upwards, four frames each time. */
async function scroll(page: Page, turns: number): Promise<void> {
  const log = page.getByRole('log');
  for (let turn = 0; turn < turns; turn += 1) {
    await log.evaluate(async (scroller) => {
      scroller.scrollTop -= 600;
      for (let frame = 0; frame < 4; frame += 1) await new Promise((done) => requestAnimationFrame(done));
    });
  }
}

it(`a conversation of ${ENTRIES} entries opens and scrolls, and memory stays flat`, async () => {
  const { page, long, short } = await longAndShort();
  const took: number[] = [];
  let cost = await costOf(browser, page, async () => {
    for (let time = 0; time < OPENINGS; time += 1) {
      took.push(Math.round(await opening(page, long)));
      await open(page, short);
      await seen(page, 'nothing much');
    }
  });
  report('opening', { took }, cost);
  expect(cost.longest).toBeLessThanOrEqual(OPENING_MILLISECONDS);

  await opening(page, long);
  await scroll(page, TURNS / 5);
  const before = await memory(page);
  await recordFrames(page);
  cost = await costOf(browser, page, () => scroll(page, TURNS));
  const longest = await longestFrame(page);
  const growth = (await memory(page)) - before;
  report('scrolling', { turns: TURNS, longestFrame: longest, memory: before, growth }, cost);
  expect(cost.longest).toBeLessThanOrEqual(FRAME_MILLISECONDS);
  expect(growth).toBeLessThan(GROWTH_BYTES);
  expect(await page.locator('article').count()).toBeLessThan(80);
  await page.context().close();
}, 900_000);

/** Sends from all senders in turn at an even rate, until the last one is due; resolves when all are stored. */
async function flood(senders: readonly Account[], group: string): Promise<void> {
  const all = FLOOD_PER_SECOND * FLOOD_SECONDS;
  const sends: Promise<unknown>[] = [];
  const started = Date.now();
  await new Promise<void>((done) => {
    const timer = setInterval(() => {
      const due = Math.floor(((Date.now() - started) / 1000) * FLOOD_PER_SECOND);
      while (sends.length < Math.min(due, all)) {
        const sender = senders[sends.length % senders.length];
        if (sender) sends.push(sender.send(group, `flood ${sends.length + 1}`));
      }
      if (sends.length < all) return;
      clearInterval(timer);
      done();
    }, 10);
  });
  await Promise.all(sends);
}

/** Scrolls up to the start; the texts of all messages that were on screen. */
async function allMessages(page: Page, most: number): Promise<Set<string>> {
  const all = new Set<string>();
  const log = page.getByRole('log');
  for (let turn = 0; turn < 2_000 && all.size < most; turn += 1) {
    for (const one of await messages(page)) all.add(one);
    await log.evaluate(async (scroller) => {
      scroller.scrollTop -= 900;
      for (let frame = 0; frame < 2; frame += 1) await new Promise((done) => requestAnimationFrame(done));
    });
  }
  return all;
}

it(`typing while ${FLOOD_PER_SECOND} messages a second arrive in the open group`, async () => {
  const mina = await Account.signUp(server.address, 'mina.flood', 'Mina');
  const others: Account[] = [];
  for (const number of numbers(1, 4))
    others.push(await Account.signUp(server.address, `flood${number}`, `Flood ${number}`));
  const group = await mina.group('Flood', others);
  const page = await logIn(browser, server, mina);
  await open(page, group);
  await composer(page).focus();
  await recordFrames(page);

  let typed = '';
  const cost = await costOf(browser, page, async () => {
    let isOver = false;
    const flooding = flood(others, group).finally(() => (isOver = true));
    const text = 'the quick brown fox jumps over the lazy dog and 한글도 씁니다 ';
    while (!isOver) {
      await composer(page).pressSequentially(text, { delay: 30, timeout: 60_000 });
      typed += text;
    }
    await flooding;
  });
  const all = FLOOD_PER_SECOND * FLOOD_SECONDS;
  // Senders overtake one another: the last one may be any of them.
  await expect
    .poll(async () => (await messages(page)).length > 0 && (await page.locator('.newest').count()) === 0, {
      timeout: 30_000,
    })
    .toBe(true);
  expect(await composer(page).inputValue()).toBe(typed);
  report('flood', { longestInput: await longestInput(page), longestFrame: await longestFrame(page) }, cost);
  expect(cost.longest).toBeLessThanOrEqual(FRAME_MILLISECONDS);
  // Every message once, whatever order the senders were heard in.
  expect((await allMessages(page, all)).size).toBe(all);
  await page.context().close();
}, 300_000);
