// What the page says while nobody looks, and that it starts without a network.
import type { Page } from 'playwright-core';
import { beforeEach, describe, expect, it } from 'vitest';

import type { Account } from './support/account';
import { open, say, seen } from './support/page';
import { direct, enter, joon, mina, server, setUpPair } from './support/pair';
import { press, visit } from './support/panels';

setUpPair();

beforeEach(async () => {
  await joon.send(direct, 'before');
  await mina.read(direct, 2);
});

async function at(account: Account, notices = true): Promise<Page> {
  const permissions = notices ? ['notifications'] : [];
  const page = await enter(account, { permissions });
  await page.locator(`[data-conversation="${direct}"]`).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  return page;
}

/** What the service worker shows now. */
function notices(page: Page): Promise<{ title: string; body: string }[]> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }));
  });
}

const icon = (page: Page): Promise<string | null> => page.getAttribute('link[rel=icon]', 'href');

describe('while nobody looks', () => {
  it('counts in title and icon, until it is read', async () => {
    const page = await at(mina);
    expect(await page.title()).toBe('Suda');
    expect(await icon(page)).toBe('/icons/icon.svg');
    await joon.send(direct, 'one');
    await joon.send(direct, 'two');
    await expect.poll(() => page.title()).toBe('(2) Suda');
    await expect.poll(() => icon(page)).toMatch(/^data:image\/png/u);
    await open(page, direct);
    await expect.poll(() => page.title()).toBe('Suda');
    await expect.poll(() => icon(page)).toBe('/icons/icon.svg');
  });

  it('tells of a message once for all tabs, and takes it back when it is read elsewhere', async () => {
    const page = await at(mina);
    const second = await page.context().newPage();
    await second.goto(server.url);
    await second.locator(`[data-conversation="${direct}"]`).waitFor();
    const seq = await joon.send(direct, 'Are you there?');
    await expect.poll(() => notices(page)).toEqual([{ title: 'Joon', body: 'Are you there?' }]);
    await mina.read(direct, seq);
    await expect.poll(() => notices(page)).toEqual([]);
  });

  it('takes back what was told before the page was loaded again', async () => {
    const page = await at(mina);
    const seq = await joon.send(direct, 'Are you there?');
    await expect.poll(() => notices(page)).toHaveLength(1);
    await page.reload();
    await page.locator(`[data-conversation="${direct}"]`).waitFor();
    await mina.read(direct, seq);
    await expect.poll(() => notices(page)).toEqual([]);
  });

  it('leaves nothing of the account after a log-out', async () => {
    const page = await at(mina);
    await joon.send(direct, 'for Mina alone');
    await expect.poll(() => notices(page)).toHaveLength(1);
    await expect.poll(() => page.title()).toBe('(1) Suda');
    await visit(page, '/settings');
    await press(page, 'Log out');
    await page.getByRole('dialog').getByRole('button', { name: 'Log out' }).click();
    await page.locator('input[autocomplete=username]').waitFor();
    await expect.poll(() => notices(page)).toEqual([]);
    expect(await page.title()).toBe('Suda');
    await expect.poll(() => icon(page)).toBe('/icons/icon.svg');
  });

  it('says nothing of what is muted, but of mentions in it', async () => {
    const group = await mina.group('Lunch', [joon]);
    const base = (await mina.request<{ items: { seq: number }[] }>('own_state', {})).items.at(-1)?.seq ?? 0;
    const value = { until: null, except_mentions: true };
    await mina.request('set', {
      client_id: crypto.randomUUID().replace(/^(.{14})./u, '$17'),
      base,
      key: `mute/${group}`,
      value,
    });
    const page = await at(mina);
    await page.locator(`[data-conversation="${group}"]`).waitFor();
    await joon.send(group, 'muted');
    await joon.send(direct, 'plain');
    await expect.poll(() => notices(page)).toEqual([{ title: 'Joon', body: 'plain' }]);
    await joon.send(group, '@Mina look', { mentions: [{ who: { account: mina.id }, start: 0, length: 5 }] });
    await expect.poll(() => notices(page)).toContainEqual({ title: 'Joon in Lunch', body: '@Mina look' });
  });

  it('hides what messages say where somebody wants that', async () => {
    const page = await at(mina);
    await visit(page, '/settings/notifications');
    await page.getByLabel('Show what messages say').uncheck();
    await joon.send(direct, 'a secret');
    await expect.poll(() => notices(page)).toEqual([{ title: 'Joon', body: 'New message' }]);
  });

  it('offers notifications once, after the first message sent, and never asks on load', async () => {
    const page = await at(mina, false);
    await page.addInitScript(() => {
      // Without a window Chromium has denied everything from the start.
      Object.defineProperty(Notification, 'permission', { get: () => 'default' });
      Notification.requestPermission = () => {
        document.documentElement.dataset['asked'] = 'yes';
        return Promise.resolve('denied');
      };
    });
    await page.reload();
    await open(page, direct);
    expect(await page.getByText('Be told of new messages while you look elsewhere.').count()).toBe(0);
    await say(page, 'Hello');
    await page.getByText('Be told of new messages while you look elsewhere.').waitFor();
    expect(await page.getAttribute('html', 'data-asked')).toBeNull();
    await press(page, 'Turn on notifications');
    expect(await page.getAttribute('html', 'data-asked')).toBe('yes');
    await page.reload();
    await open(page, direct);
    await say(page, 'Hello again');
    await seen(page, 'Hello again');
    expect(await page.getByText('Be told of new messages while you look elsewhere.').count()).toBe(0);
  });
});

describe('without a network', () => {
  it('keeps nothing of the interface in its cache', async () => {
    const page = await at(mina);
    const kept = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map(({ url }) => new URL(url).pathname);
    });
    expect(kept).toContain('/');
    expect(kept.filter((path) => path.startsWith('/v1'))).toEqual([]);
    expect(kept.filter((path) => path.startsWith('/assets/')).length).toBeGreaterThan(5);
  });
});

it('can be installed: its manifest names icons that exist', async () => {
  const page = await at(mina);
  const manifest = await page.evaluate(async () => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=manifest]');
    return (await fetch(link?.href ?? '')).json() as Promise<{ icons: { src: string; sizes: string }[] }>;
  });
  for (const { src, sizes } of manifest.icons) {
    const answer = await page.request.get(server.url + src);
    expect([answer.status(), answer.headers()['content-type']], src).toEqual([
      200,
      sizes === 'any' ? 'image/svg+xml' : 'image/png',
    ]);
  }
});
