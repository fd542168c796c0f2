/** How much the package weighs, so that nothing heavy slips in. */

import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { bundle } from '../scripts/bundle.mjs';

/** The page's part where a worker owns the engine, sentences for errors in two languages included. */
const PAGE_KIB = 13;

/** The whole SDK in one page, without a worker. */
const ALL_KIB = 43;

/** The worker. */
const WORKER_KIB = 31;

function kib(files: readonly { contents: Uint8Array }[]): number {
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0) / 1024;
}

test('the bundles are small', async () => {
  const { page, worker } = await bundle();
  const first = page.find(({ name }) => name === 'index.js');
  const text = new TextDecoder().decode(first?.contents);
  const loadedAtOnce = page.filter(({ name }) => name === 'index.js' || text.includes(`from"./${name}"`));
  expect(kib(loadedAtOnce)).toBeLessThan(PAGE_KIB);
  expect(kib(page)).toBeLessThan(ALL_KIB);
  expect(kib(worker)).toBeLessThan(WORKER_KIB);
  const shown = [loadedAtOnce, page, worker].map((files) => `${kib(files).toFixed(1)} KiB`);
  console.error(`gzip: page ${shown[0] ?? ''}, everything ${shown[1] ?? ''}, worker ${shown[2] ?? ''}`);
});
