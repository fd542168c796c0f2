// People: finding them, writing to them, asking to be a contact, blocking; and names that mean harm.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { Account } from './support/account';
import { complaints, launch, logIn } from './support/browser';
import { composer } from './support/page';
import { agree, choose, person, press, visit } from './support/panels';
import { Server } from './support/server';

let server: Server;
let browser: Browser;
let mina: Account;
let joon: Account;
let pages: Page[] = [];
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
  joon = await Account.signUp(server.address, `joon${round}`, 'Joon');
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
  expect(complaints.splice(0)).toEqual([]);
});

async function at(account: Account, path: string, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await logIn(browser, server, account, options);
  pages.push(page);
  await visit(page, path);
  return page;
}

it('are found by the beginning of their name and written to, by keyboard alone', async () => {
  const page = await at(mina, '/new');
  await page.keyboard.type(`@JOON${round}`);
  await person(page, 'Joon').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await composer(page).waitFor();
  await page.locator('.list-side').getByText('Joon').waitFor();
});

it('that do not exist are said not to', async () => {
  const page = await at(mina, '/new');
  await page.keyboard.type('nobody.at.all');
  await page.getByText('Nobody’s name begins with “nobody.at.all”.').waitFor();
  expect(await violations(page)).toEqual([]);
});

it('become contacts when both agree, and see whether the other is there', async () => {
  const [minas, joons] = [await at(mina, '/contacts'), await at(joon, '/contacts')];
  await minas.getByRole('searchbox', { name: 'Find people by name' }).fill(`joon${round}`);
  await press(minas, 'Ask Joon to be a contact');
  await minas.getByText('Asked by you').waitFor();
  await joons.getByText('Want to be your contact').waitFor();
  expect(await violations(joons)).toEqual([]);
  await press(joons, 'Accept Mina Kim');
  await person(joons, 'Mina Kim').getByText('online').waitFor();
  await minas.getByRole('searchbox', { name: 'Find people by name' }).fill('');
  await person(minas, 'Joon').getByText('online').waitFor();
  expect(await violations(minas)).toEqual([]);
  await choose(minas, person(minas, 'Joon'), 'Remove contact');
  await agree(minas, 'Remove contact');
  await minas.getByText('No contacts yet').waitFor();
  await joons.getByText('No contacts yet').waitFor();
});

it('can be declined, and requests withdrawn', async () => {
  const [minas, joons] = [await at(mina, '/contacts'), await at(joon, '/contacts')];
  const search = minas.getByRole('searchbox', { name: 'Find people by name' });
  await search.fill(`joon${round}`);
  await press(minas, 'Ask Joon to be a contact');
  await press(joons, 'Decline Mina Kim');
  await joons.getByText('Want to be your contact').waitFor({ state: 'detached' });
  await press(minas, 'Ask Joon to be a contact');
  await joons.getByText('Want to be your contact').waitFor();
  await press(minas, 'Withdraw the request to Joon');
  await joons.getByText('Want to be your contact').waitFor({ state: 'detached' });
});

it('can be blocked from their profile, and let in again', async () => {
  const direct = await mina.direct(joon);
  const page = await at(mina, `/c/${direct}/details`);
  await page.getByText(`@joon${round}`).waitFor();
  expect(await violations(page)).toEqual([]);
  await press(page, 'Block');
  await agree(page, 'Block');
  await page.getByRole('button', { name: 'Unblock' }).waitFor();
  await expect(joon.send(direct, 'Hello?')).rejects.toThrow('blocked');
  await visit(page, '/contacts');
  await press(page, 'Unblock Joon');
  await page.getByText('No contacts yet').waitFor();
  await joon.send(direct, 'Hello again');
});

it.each<[string, string]>([
  ['markup', '<img src=x onerror=alert(1)><b>x</b>'],
  ['wide letters', '가'.repeat(64)],
  ['one long word', 'W'.repeat(64)],
  ['right to left', 'שלום עולם مرحبا بالعالم'],
  ['combining marks', `Z${'\u0335\u0321\u0322'.repeat(20)}`],
  ['isolates that the server lets through', '\u200fabc\u200f'],
])('with names of %s break nothing', async (_, shown) => {
  const hostile = await Account.signUp(server.address, `hostile${round}`, shown);
  await mina.rest('PUT', `/v1/contacts/${hostile.id}`);
  await hostile.rest('PUT', `/v1/contacts/${mina.id}`);
  const group = await mina.group('G', [hostile]);
  const page = await at(mina, '/contacts', { viewport: { width: 360, height: 740 } });
  await person(page, `@hostile${round}`).waitFor();
  for (const path of ['/contacts', '/new', '/new/group', `/c/${group}/details`]) {
    await visit(page, path);
    await person(page, `@hostile${round}`).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path).toBe(true);
    const box = await person(page, `@hostile${round}`).boundingBox();
    expect(box?.height, path).toBeLessThan(90);
    expect(await page.locator('main li img, main li b').count(), path).toBe(0);
  }
});
