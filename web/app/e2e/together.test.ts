// Three people in one group at the same time: two in browsers, one on the Rust SDK. Everybody ends with the same.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { Companion, type Told } from './support/companion';
import { bubble, composer, messages, open, say, seen } from './support/page';
import { wholeConversation } from './support/reading';
import { Server } from './support/server';

/** How much each of the three says at once. */
const EACH = 50;

let server: Server;
let browser: Browser;
let mina: Account;
let sora: Account;
let group: string;
let minas: Page;
let joons: Page;
let soras: Companion;
let round = 0;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});

afterAll(async () => {
  await browser.close();
  await server.stop();
});

beforeEach(async () => {
  round += 1;
  mina = await Account.signUp(server.address, `mina${round}`, 'Mina Kim');
  const joon = await Account.signUp(server.address, `joon${round}`, 'Joon');
  sora = await Account.signUp(server.address, `sora${round}`, 'Sora');
  group = await mina.group('Three', [joon, sora]);
  [minas, joons, soras] = await Promise.all([
    logIn(browser, server, mina),
    logIn(browser, server, joon),
    Companion.join(server, sora, group),
  ]);
  await Promise.all([open(minas, group), open(joons, group)]);
}, 240_000);

afterEach(async () => {
  await Promise.all([minas.context().close(), joons.context().close(), soras.leave()]);
  expect(complaints.splice(0)).toEqual([]);
  expect(soras.failures).toEqual([]);
});

function said(by: string): string[] {
  return Array.from({ length: EACH }, (_, at) => `${by} says ${at + 1}`);
}

/** The texts of the group, as the server has them. */
async function stored(): Promise<string[]> {
  const page = await mina.request<{ entries: { kind: string; body: { text: string } }[] }>('history', {
    conversation: group,
    range: { newest: { limit: 200 } },
  });
  return page.entries.filter(({ kind }) => kind === 'message').map(({ body }) => body.text);
}

/** The companion's message with this text, once it is stored. */
async function told(text: string): Promise<Told & { seq: number }> {
  await expect
    .poll(async () => (await soras.list()).find((one) => one.text === text)?.seq ?? null)
    .not.toBeNull();
  const found = (await soras.list()).find((one) => one.text === text);
  if (found?.seq == null) throw new Error(`not there: ${text}`);
  return { ...found, seq: found.seq };
}

async function act(page: Page, text: string, item: string): Promise<void> {
  // An answer quotes it further below.
  await bubble(page, text).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

it(`all three say ${EACH} messages at once: everybody has all of them once, in the same order`, async () => {
  const talk = async (page: Page, texts: string[]): Promise<void> => {
    for (const text of texts) await say(page, text);
  };
  const sorasTexts = said('Sora');
  await Promise.all([
    talk(minas, said('Mina')),
    talk(joons, said('Joon')),
    // As fast as the browsers: one for each message of theirs.
    (async () => {
      for (const [at, text] of sorasTexts.entries()) {
        soras.say(text);
        await expect.poll(() => soras.heard.length, { timeout: 30_000 }).toBeGreaterThan(at);
      }
    })(),
  ]);
  await expect.poll(async () => (await stored()).length, { timeout: 30_000 }).toBe(3 * EACH);
  const order = await stored();
  for (const by of ['Mina', 'Joon', 'Sora'])
    expect(order.filter((text) => text.startsWith(by))).toEqual(said(by));
  for (const page of [minas, joons]) {
    await seen(page, order.at(-1) ?? '');
    await expect.poll(() => page.locator('[data-stage=pending]').count()).toBe(0);
    expect(await wholeConversation(page)).toEqual(order);
  }
  await expect.poll(() => soras.list().then(texts)).toEqual(order);
  // What came while a slow machine lost its connection is in the list without having been heard; nothing is heard twice.
  const heard = soras.heard.filter(({ author }) => author !== sora.id).map(({ seq }) => seq);
  expect(heard.length).toBeGreaterThan(0);
  expect(new Set(heard).size).toBe(heard.length);
}, 180_000);

function texts(list: readonly Told[]): (string | null)[] {
  return list.filter(({ text }) => text !== null).map(({ text }) => text);
}

it('what one changes, the other two see, whoever it is', async () => {
  await say(minas, 'from Mina');
  await say(joons, 'from Joon');
  soras.say('from Sora');
  const all = ['from Mina', 'from Joon', 'from Sora'];
  for (const page of [minas, joons]) for (const text of all) await seen(page, text);
  const [minasSaid, joonsSaid, sorasSaid] = [
    await told('from Mina'),
    await told('from Joon'),
    await told('from Sora'),
  ];

  // Replies, each to another one's message.
  await act(minas, 'from Joon', 'Reply');
  await say(minas, 'Mina answers');
  await act(joons, 'from Sora', 'Reply');
  await say(joons, 'Joon answers');
  soras.order({ say: { text: 'Sora answers', reply_to: minasSaid.seq } });
  expect((await told('Mina answers')).reply_to).toBe(joonsSaid.seq);
  expect((await told('Joon answers')).reply_to).toBe(sorasSaid.seq);
  for (const page of [minas, joons]) {
    await bubble(page, 'Mina answers').locator('.quote', { hasText: 'from Joon' }).waitFor();
    await bubble(page, 'Joon answers').locator('.quote', { hasText: 'from Sora' }).waitFor();
    await bubble(page, 'Sora answers').locator('.quote', { hasText: 'from Mina' }).waitFor();
  }

  // Reactions of all to one message.
  for (const page of [minas, joons]) {
    await bubble(page, 'Sora answers').hover();
    await page.getByRole('button', { name: 'React', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'React with 👍' }).click();
  }
  soras.order({ react: { seq: (await told('Sora answers')).seq, emoji: '🎉' } });
  await expect
    .poll(async () => (await told('Sora answers')).reactions)
    .toEqual([
      ['👍', 2],
      ['🎉', 1],
    ]);
  for (const page of [minas, joons]) {
    await bubble(page, 'Sora answers').getByRole('button', { name: 'Take back 👍 2' }).waitFor();
    await bubble(page, 'Sora answers').getByRole('button', { name: 'React with 🎉' }).waitFor();
  }

  // Edits.
  await act(minas, 'Mina answers', 'Edit');
  await composer(minas).fill('Mina corrects');
  await minas.keyboard.press('Enter');
  await act(joons, 'Joon answers', 'Edit');
  await composer(joons).fill('Joon corrects');
  await joons.keyboard.press('Enter');
  soras.order({ edit: { seq: (await told('Sora answers')).seq, text: 'Sora corrects' } });
  for (const text of ['Mina corrects', 'Joon corrects', 'Sora corrects']) {
    expect((await told(text)).edited).toBe(true);
    for (const page of [minas, joons]) await bubble(page, text).getByText('edited').waitFor();
  }

  // Deletions.
  for (const [page, text] of [
    [minas, 'from Mina'],
    [joons, 'from Joon'],
  ] as const) {
    await act(page, text, 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  }
  soras.order({ delete: { seq: sorasSaid.seq } });
  await expect
    .poll(async () => (await soras.list()).filter(({ deleted }) => deleted).map(({ seq }) => seq))
    .toEqual([minasSaid.seq, joonsSaid.seq, sorasSaid.seq].sort((one, other) => one - other));
  for (const page of [minas, joons]) {
    const gone = page.getByText('This message was deleted.').or(page.getByText('You deleted this message.'));
    await expect.poll(() => page.locator('article').filter({ has: gone }).count()).toBeGreaterThanOrEqual(3);
    await expect
      .poll(async () => (await messages(page)).filter((text) => !/deleted/u.test(text)))
      .toEqual(['Mina corrects', 'Joon corrects', 'Sora corrects']);
    await expect.poll(() => page.content()).not.toMatch(/from (Mina|Joon|Sora)/u);
  }
}, 120_000);
