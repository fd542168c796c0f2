/** The chat box of the README, as it stands there, in a real browser against a real server. */

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { signUp } from '../src/node.js';
import { join, PASSWORD } from './support/people.js';
import { Proxy } from './support/proxy.js';
import { Server } from './support/server.js';
import { launch } from './support/tabs.js';
import { until } from './support/waiting.js';

const readme = readFileSync(resolve(import.meta.dirname, '../README.md'), 'utf8');
const example = /## A chat box[^]*?```ts\n([^]*?)```/.exec(readme)?.[1] ?? '';

test('the example is short', () => {
  expect(example.trim().split('\n').length).toBeGreaterThan(10);
  expect(example.trim().split('\n').length).toBeLessThan(30);
});

test('the example is a working chat box', async () => {
  const [browser, server] = await Promise.all([launch(), Server.start()]);
  const proxy = await Proxy.start(server.port);
  const joon = await join(server, 'joon');
  try {
    const mina = await signUp({ name: 'mina', password: PASSWORD }, { server: server.address });
    const conversation = await joon.openDirect(mina.account.account);
    const source = resolve(import.meta.dirname, '../src');
    const script = await build({
      stdin: { contents: example, loader: 'ts', resolveDir: source },
      alias: { '@suda/client': `${source}/index.ts` },
      bundle: true,
      format: 'esm',
      write: false,
    });
    const html =
      '<!doctype html><title>Chat</title><ol></ol><input><script type="module" src="/page.js"></script>';
    proxy.files.set('/', { type: 'text/html', body: html });
    proxy.files.set('/page.js', { type: 'text/javascript', body: script.outputFiles[0]?.text ?? '' });
    const page = await browser.newPage();
    await page.goto(`${proxy.address}/#${conversation}`);
    await joon.conversation(conversation).send('Hello from outside');
    await page.getByText('Hello from outside').waitFor();
    await page.fill('input', 'Hello from the box');
    await page.keyboard.press('Enter');
    const there = joon.conversation(conversation).timeline();
    await until(there, ({ messages }) =>
      messages.some(({ content }) => content.type === 'text' && content.text === 'Hello from the box'),
    );
    await page.locator('li[title=mina] span').filter({ hasText: 'Hello from the box' }).waitFor();
    const row = joon.conversation(conversation).details;
    await until(
      row,
      (details) =>
        details?.members.some(({ account, read }) => account === mina.account.account && read >= 3) ?? false,
    );
  } finally {
    joon.close();
    await browser.close();
    await proxy.stop();
    await server.remove();
  }
});
