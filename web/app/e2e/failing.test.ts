// What the page says when something failed for good: that the app has stopped and why, and why a message was not sent.
import type { Page, WebSocketRoute } from 'playwright-core';
import { expect, it } from 'vitest';

import { violations } from './support/accessibility';
import { logInOn, openPage } from './support/browser';
import { bubble, messages, open, say } from './support/page';
import { at, browser, direct, enter, joon, keep, mina, server, setUpPair } from './support/pair';
import { press } from './support/panels';

setUpPair();

/** A page whose line to the server the test holds in its hand. */
async function held(language: string): Promise<{ page: Page; line: WebSocketRoute }> {
  await mina.rest('PATCH', '/v1/account', { language });
  const page = keep(await openPage(browser, server, { locale: language }));
  // Without shared workers the page itself has the line.
  await page.addInitScript('delete globalThis.SharedWorker');
  let line: WebSocketRoute | undefined;
  await page.routeWebSocket(/\/v1\/ws/u, (route) => {
    line = route;
    route.connectToServer();
  });
  await page.reload();
  await logInOn(page, mina);
  await expect.poll(() => line).toBeDefined();
  await page.locator(`[data-conversation="${direct}"]`).waitFor();
  return { page, line: line as WebSocketRoute };
}

const mistake = (line: WebSocketRoute): void => line.send('{"event":"marks","body":null}');
const replacement = (line: WebSocketRoute): void => void line.close({ code: 4300 });

const STOPS: readonly [string, string, (line: WebSocketRoute) => void, RegExp, string][] = [
  ['a mistake of its own', 'en', mistake, /^Something broke/u, 'Reload'],
  ['a mistake of its own', 'ko', mistake, /^앱에 오류가/u, '새로고침'],
  ['another connection', 'en', replacement, /^Another tab/u, 'Reload'],
  ['another connection', 'ko', replacement, /^다른 탭이나/u, '새로고침'],
];

it.each(STOPS)('after %s it says so, and reloads (%s)', async (_, language, stop, sentence, reload) => {
  const { page, line } = await held(language);
  stop(line);
  await page.locator('[role=status]').getByText(sentence).waitFor();
  expect(await violations(page)).toEqual([]);
  await press(page, reload);
  await page.locator(`[data-conversation="${direct}"]`).click();
  await say(page, 'and on');
  await bubble(page, 'and on').locator('[data-stage=sent], [data-stage=delivered]').waitFor();
});

it('a tab of another account stops this one, which says so', async () => {
  const page = await at(mina);
  const second = keep(await page.context().newPage());
  await second.goto(server.url);
  await second.locator('.list-side').waitFor();
  await second.evaluate(async (name) => {
    const body = {
      name,
      password: 'correct horse battery',
      device: { name: 'test', platform: 'web' },
    };
    await fetch('/v1/login', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'suda-session': 'cookie' },
      body: JSON.stringify(body),
    });
  }, joon.name);
  await second.reload();
  await page.locator('[role=status]').getByText('Another account has logged in').waitFor();
});

const REFUSALS: readonly [string, string, string, string][] = [
  ['en', 'Not sent: One of you has blocked the other.', 'Try again', 'Discard'],
  ['ko', '보내지 못함: 차단된 상대입니다.', '다시 시도', '삭제'],
];

it.each(REFUSALS)(
  'a message that is refused says why, and is sent again or dropped (%s)',
  async (...words) => {
    const [language, sentence, again, drop] = words;
    await mina.rest('PATCH', '/v1/account', { language });
    const page = await enter(mina, { locale: language });
    await open(page, direct);
    await joon.rest('PUT', `/v1/blocks/${mina.id}`);
    for (const text of ['first', 'second']) await say(page, text);
    const failed = (text: string) => bubble(page, text).getByRole('group', { name: sentence, exact: true });
    for (const text of ['first', 'second']) await failed(text).waitFor();
    expect(await violations(page)).toEqual([]);
    await press(failed('first'), again);
    await failed('first').waitFor();
    await press(failed('first'), drop);
    await bubble(page, 'first').waitFor({ state: 'detached' });
    await joon.rest('DELETE', `/v1/blocks/${mina.id}`);
    await press(failed('second'), again);
    await bubble(page, 'second').locator('[data-stage=sent], [data-stage=delivered]').waitFor();
    expect(await messages(page)).toEqual(['second']);
  },
);
