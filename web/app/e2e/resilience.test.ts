// Things that go wrong: the server dies while people write, the network goes away, tabs come and go, screens are small.
import type { Locator } from 'playwright-core';
import { expect, it } from 'vitest';

import type { Account } from './support/account';
import { logInOn } from './support/browser';
import { bubble, composer, messages, open, say, seen } from './support/page';
import { at, direct, enter, joon, keep, mina, server, setUpPair } from './support/pair';
import { agree, press, visit } from './support/panels';

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

setUpPair(['--rate-account-per-second', '100000', '--rate-account-burst', '100000']);

function texts(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, at) => `message ${from + at}`);
}

/** Everything of the conversation as the server has it. */
async function stored(account: Account): Promise<string[]> {
  const page = await account.request<{ entries: { kind: string; body: { text: string } }[] }>('history', {
    conversation: direct,
    range: { newest: { limit: 200 } },
  });
  return page.entries.filter(({ kind }) => kind === 'message').map(({ body }) => body.text);
}

it('the server is killed and started again while both write: nothing is lost, doubled or out of order', async () => {
  const [minas, joons] = [await at(mina), await at(joon)];
  for (const text of texts(1, 5)) await say(minas, text);
  await server.kill();
  for (const text of texts(6, 15)) await say(minas, text);
  await composer(joons).pressSequentially('meanwhile');
  await bubble(minas, 'message 15').locator('[data-stage=pending]').waitFor();
  await server.revive();
  for (const text of texts(16, 20)) await say(minas, text);
  await joons.keyboard.press('Enter');
  await expect.poll(async () => (await stored(joon)).length, { timeout: 45_000 }).toBe(21);
  const all = await stored(joon);
  expect(all.filter((text) => text !== 'meanwhile')).toEqual(texts(1, 20));
  await expect.poll(() => messages(minas), { timeout: 15_000 }).toEqual(all);
  await expect.poll(() => messages(joons), { timeout: 15_000 }).toEqual(all);
  await expect.poll(() => minas.locator('[data-stage=pending]').count()).toBe(0);
}, 120_000);

it('a quote that is not on this device says so without a network, and appears with one', async () => {
  const other = await mina.group('Other', []);
  const first = await joon.send(direct, 'where it began');
  // More than is fetched before anybody asks.
  for (let count = 0; count < 260; count += 1) await joon.send(direct, `more ${count}`);
  const page = await enter(mina);
  await open(page, other);
  await joon.send(direct, 'an answer', { target: first });
  const row = page.locator(`[data-conversation="${direct}"]`);
  await row.getByText('an answer').waitFor();
  await server.kill();
  await row.click();
  const quote = bubble(page, 'an answer').locator('.quote');
  await quote.getByText('Not loaded: no connection').waitFor();
  await server.revive();
  await quote.getByText('where it began').waitFor({ timeout: 30_000 });
}, 120_000);

it('a conversation that is not on this device says so without a network, and appears with one', async () => {
  await joon.send(direct, 'long ago');
  await mina.read(direct, 2);
  // More than are fetched before anybody asks.
  for (let count = 0; count < 22; count += 1) await mina.group(`Group ${count}`, []);
  const page = await enter(mina);
  await page.locator('[data-conversation]').first().waitFor();
  await server.kill();
  await visit(page, `/c/${direct}`);
  await page.getByText('Messages are shown here once there is a connection.').waitFor();
  await server.revive();
  await seen(page, 'long ago');
}, 60_000);

it('a log-out that the server cannot hear is told later, and meanwhile the login opens nothing', async () => {
  const page = await at(mina);
  const inBrowsers = async (): Promise<number> => {
    const { devices } = await mina.rest<{ devices: { platform: string }[] }>('GET', '/v1/devices');
    return devices.filter(({ platform }) => platform === 'web').length;
  };
  expect(await inBrowsers()).toBe(1);
  await visit(page, '/settings');
  await server.kill();
  await press(page, 'Log out');
  await agree(page, 'Log out');
  const notice = page.getByText('The server has not heard of your log-out yet.');
  await notice.waitFor();
  await page.reload();
  await notice.waitFor();
  expect(await page.locator('.list-side').count()).toBe(0);
  await server.revive();
  await notice.waitFor({ state: 'detached' });
  expect(await inBrowsers()).toBe(0);
  await logInOn(page, mina);
  expect(await inBrowsers()).toBe(1);
}, 120_000);

it('two tabs show the same, and either may close', async () => {
  const first = await at(mina);
  const second = await first.context().newPage();
  await second.goto(first.url());
  await composer(second).waitFor();
  await say(first, 'from the first');
  await seen(second, 'from the first');
  await first.close();
  await say(second, 'from the second');
  await bubble(second, 'from the second').locator('[data-stage=sent], [data-stage=delivered]').waitFor();
  const third = keep(await second.context().newPage());
  await third.goto(second.url());
  await seen(third, 'from the second');
  expect(await stored(joon)).toEqual(['from the first', 'from the second']);
});

it('a finger that rests on a message or a conversation opens its menu, and one that scrolls does not', async () => {
  await joon.send(direct, 'press here');
  const page = await enter(mina, PHONE);
  const session = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: { x: number; y: number }[]) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: points });
  const middle = async (of: Locator): Promise<{ x: number; y: number }> => {
    const { x, y, width, height } = (await of.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    return { x: x + width / 2, y: y + height / 2 };
  };
  const row = page.locator(`[data-conversation="${direct}"]`);
  await row.waitFor();
  await touch('touchStart', [await middle(row)]);
  await page.getByRole('menuitem', { name: 'Archive' }).waitFor();
  await touch('touchEnd', []);
  await page.getByRole('menuitem', { name: 'Mark as read' }).tap();
  await row.getByText('1 unread message').waitFor({ state: 'detached' });
  expect(new URL(page.url()).pathname).toBe('/');

  await row.tap();
  await seen(page, 'press here');
  const at = await middle(bubble(page, 'press here').locator('.text'));
  await touch('touchStart', [at]);
  await page.getByRole('menu').waitFor();
  await touch('touchEnd', []);
  // What the browser does with the lifted finger comes before what is asked next.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
  await page.getByRole('menuitem', { name: 'Reply' }).tap();
  await page
    .locator('.about')
    .getByText(/Reply to .*Joon/)
    .waitFor();
  expect(await page.evaluate(() => getSelection()?.toString())).toBe('');

  await page.clock.install();
  await touch('touchStart', [at]);
  await touch('touchMove', [{ x: at.x, y: at.y + 40 }]);
  await page.clock.runFor(2_000);
  expect(await page.getByRole('menu').count()).toBe(0);
  await touch('touchEnd', []);
});

it('a phone shows the list or the conversation, and the way back works', async () => {
  const page = await enter(mina, PHONE);
  const row = page.locator(`[data-conversation="${direct}"]`);
  await row.tap();
  await composer(page).waitFor();
  expect(await row.isVisible()).toBe(false);
  await composer(page).fill('from the phone');
  await page.getByRole('button', { name: 'Send' }).tap();
  await seen(page, 'from the phone');
  const box = await bubble(page, 'from the phone').locator('.bubble').boundingBox();
  expect((box?.x ?? 999) + (box?.width ?? 999)).toBeLessThanOrEqual(360);
  await page.getByRole('button', { name: 'Back' }).tap();
  await row.waitFor();
  expect(await composer(page).isVisible()).toBe(false);
});
