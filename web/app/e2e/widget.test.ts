// The widget on a page of another origin: it chats where the origin is allowed, and says why where it is not.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { Account } from './support/account';
import { launch } from './support/browser';
import { ForeignSite } from './support/foreign';
import { bubble, composer, say, seen } from './support/page';
import { Server } from './support/server';

let shop: ForeignSite;
let stranger: ForeignSite;
let server: Server;
let browser: Browser;
let mina: Account;
let direct: string;
let pages: Page[] = [];

beforeAll(async () => {
  [shop, stranger, browser] = await Promise.all([ForeignSite.start(), ForeignSite.start(), launch()]);
  server = await Server.start(['--allowed-origins', shop.origin, '--app-keys-file', shop.keysFile]);
  mina = await Account.signUp(server.address, 'mina', 'Mina Kim');
  const answer = await fetch(`${server.address}/v1/login/app`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jwt: shop.token('42', 'guest') }),
  });
  const { account } = (await answer.json()) as { account: { account: string } };
  direct = (await mina.rest<{ conversation: string }>('POST', '/v1/direct', account)).conversation;
  await mina.send(direct, 'How can we help?');
});

afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), shop.stop(), stranger.stop()]);
});

afterEach(async () => {
  await Promise.all(pages.map((page) => page.context().close()));
  pages = [];
});

const element = (more = ''): string =>
  `<suda-chat conversation="${direct}" server="${server.address}" ${more}></suda-chat>`;

/** A page of a site with something in it, whose backend vouches for the guest. */
async function at(site: ForeignSite, body: string): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 900, height: 900 }, locale: 'en' });
  const page = await context.newPage();
  pages.push(page);
  page.setDefaultTimeout(15_000);
  await page.exposeFunction('vouch', () => shop.token('42', 'guest'));
  site.show(`<main><h1>Shop</h1>${body}</main><script type="module" src="${server.url}/widget.js"></script>
    <script>
      window.failures = [];
      for (const chat of document.querySelectorAll('suda-chat')) {
        chat.addEventListener('suda-error', (event) => failures.push(event.detail.code));
        chat.token = () => window.vouch();
      }
    </script>`);
  await page.goto(site.origin);
  return page;
}

describe('on an allowed page', () => {
  it('chats in the name of the user of the site, without a cookie', async () => {
    const page = await at(shop, element());
    await seen(page, 'How can we help?');
    await say(page, 'My order is **late**');
    await seen(page, 'My order is late');
    await page.locator('[data-stage=sent], [data-stage=delivered]').first().waitFor();
    await mina.send(direct, 'It is on its way', { base: 3 });
    await seen(page, 'It is on its way');
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.title()).toBe('Shop');
    expect(page.url()).toBe(`${shop.origin}/`);
    expect(await violations(page)).toEqual([]);
  });

  it('shows what was said before, although the user writes at once', async () => {
    const page = await at(shop, element());
    await say(page, 'In a hurry');
    await seen(page, 'In a hurry');
    await seen(page, 'How can we help?');
  });

  it('keeps the look of the page and its own apart, whatever the page says', async () => {
    const page = await at(
      shop,
      `<style>html { font-size: 4px } * { color: red !important; font-size: 50px } p { display: none }</style>
       <div style="height:400px">${element('theme="dark" language="ko" style="height:100%"')}</div>`,
    );
    await seen(page, 'How can we help?');
    const looks = await bubble(page, 'How can we help?')
      .first()
      .locator('.text')
      .evaluate((text) => {
        const { color, fontSize } = getComputedStyle(text);
        return { color, fontSize };
      });
    expect(looks).toEqual({ color: 'rgb(231, 238, 240)', fontSize: '15px' });
    expect(await composer(page).getAttribute('placeholder')).toMatch(/[가-힣]/u);
    expect(await page.getAttribute('html', 'lang')).toBe('en');
    const box = await page.locator('suda-chat').boundingBox();
    expect(box?.height).toBe(400);
  });

  it('never shows one user what another one had, on the same page and in the same browser', async () => {
    const page = await at(shop, element());
    await seen(page, 'How can we help?');
    const vouched = await page.context().newPage();
    await vouched.exposeFunction('vouch', () => shop.token('43', 'other'));
    await vouched.goto(shop.origin);
    await vouched.getByText('This conversation does not exist, or you are not a member.').waitFor();
    expect(await vouched.getByRole('button', { name: 'Back to the list' }).count()).toBe(0);
    expect(await vouched.locator('suda-chat article').count()).toBe(0);
    const kept = (): Promise<number> =>
      vouched.evaluate(
        async () =>
          (await indexedDB.databases()).filter(({ name }) => (name ?? '').startsWith('suda ')).length,
      );
    await expect.poll(kept).toBe(1);
    await vouched.close();
    await page.reload();
    await seen(page, 'How can we help?');
  });

  it('shares one connection among several, and keeps the rest when one goes', async () => {
    const page = await at(shop, element() + element());
    const sockets = new Set<string>();
    page.on('websocket', (socket) => sockets.add(socket.url() + String(sockets.size)));
    await page.reload();
    await expect.poll(() => page.locator('suda-chat .composer').count()).toBe(2);
    expect(sockets.size).toBe(1);
    await page
      .locator('suda-chat')
      .first()
      .evaluate((chat) => chat.remove());
    await say(page, 'still here');
    await seen(page, 'still here');
  });
});

describe('a log-out', () => {
  /** The devices of a user of the shop, as one more of them sees it. */
  async function devices(user: string): Promise<number> {
    const call = async <T>(method: string, path: string, token?: string, body?: object): Promise<T> => {
      const headers = {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      };
      const request = { method, headers, ...(body && { body: JSON.stringify(body) }) };
      const answer = await fetch(`${server.address}${path}`, request);
      return (answer.status === 204 ? undefined : await answer.json()) as T;
    };
    const jwt = shop.token(user, 'guest');
    const { token } = await call<{ token: string }>('POST', '/v1/login/app', undefined, { jwt });
    const all = await call<{ devices: unknown[] }>('GET', '/v1/devices', token);
    await call('POST', '/v1/logout', token);
    return all.devices.length - 1;
  }

  it('removes the device and what is kept, and leaves every widget of every tab empty', async () => {
    const before = await devices('42');
    const page = await at(shop, element() + element());
    await expect.poll(() => page.locator('suda-chat .composer').count()).toBe(2);
    const tab = await page.context().newPage();
    await tab.exposeFunction('vouch', () => shop.token('42', 'guest'));
    await tab.goto(shop.origin);
    await expect.poll(() => tab.locator('suda-chat .composer').count()).toBe(2);
    expect(await devices('42')).toBe(before + 1);
    const known = await page
      .locator('suda-chat')
      .first()
      .evaluate((chat) => (chat as HTMLElement & { logOut(): Promise<boolean> }).logOut());
    expect(known).toBe(true);
    for (const one of [page, tab]) await expect.poll(() => one.locator('suda-chat article').count()).toBe(0);
    await tab.close();
    expect(await devices('42')).toBe(before);
    const kept = await page.evaluate(async () => {
      const found = (await indexedDB.databases()).map(({ name }) => name ?? '');
      const counts = found.map(
        (name) =>
          new Promise<number>((resolve, reject) => {
            const opening = indexedDB.open(name);
            opening.onerror = () => reject(opening.error ?? new Error(name));
            opening.onsuccess = () => {
              const stores = [...opening.result.objectStoreNames];
              const reading = opening.result.transaction(stores);
              const counting = stores.map((store) => reading.objectStore(store).count());
              reading.oncomplete = () => resolve(counting.reduce((sum, { result }) => sum + result, 0));
            };
          }),
      );
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    });
    expect(kept).toBe(0);
    await page.evaluate(() => {
      const chat = document.querySelector('suda-chat') as HTMLElement & { token: unknown };
      chat.token = () => (globalThis as unknown as { vouch(): Promise<string> }).vouch();
    });
    await seen(page, 'How can we help?');
  });
});

describe('by the keyboard', () => {
  it('moves between messages, through menus, and back', async () => {
    const page = await at(shop, element());
    await say(page, 'first');
    await say(page, 'second');
    await seen(page, 'second');
    await bubble(page, 'second').locator('[data-stage=sent], [data-stage=delivered]').first().waitFor();
    const focused = (): Promise<string | undefined> =>
      page.evaluate(() => {
        const inside = document.activeElement?.shadowRoot?.activeElement;
        return (inside?.closest('[role=menuitem], [data-key]') ?? inside)?.textContent.trim();
      });
    await page.getByRole('log').focus();
    await page.keyboard.press('ArrowUp');
    await expect.poll(focused).toContain('second');
    await page.keyboard.press('ArrowUp');
    await expect.poll(focused).toContain('first');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toContain('second');
    await bubble(page, 'second').click({ button: 'right' });
    const items = page.getByRole('menuitem');
    await items.first().waitFor();
    await expect.poll(focused).toBe((await items.first().textContent())?.trim());
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(focused).toBe((await items.nth(2).textContent())?.trim());
  });

  it('asks once, where it was asked for, though another widget is there', async () => {
    const page = await at(shop, element() + element());
    const second = page.locator('suda-chat').nth(1);
    await second.locator('.composer textarea').fill('to be deleted');
    await page.keyboard.press('Enter');
    const sent = second.locator('article', { hasText: 'to be deleted' });
    await sent.locator('[data-stage=sent], [data-stage=delivered]').waitFor();
    await sent.click({ button: 'right' });
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await second.getByRole('dialog').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(1);
    await second.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await sent.waitFor({ state: 'detached' });
  });
});

it('is refused on a page of another origin, and says so', async () => {
  const page = await at(stranger, element());
  await page.locator('suda-chat [role=alert]').waitFor();
  expect(await page.evaluate(() => (globalThis as unknown as { failures: string[] }).failures)).toEqual([
    'unreachable',
  ]);
});
