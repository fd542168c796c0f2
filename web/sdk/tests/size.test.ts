/** How much the package weighs, so that nothing heavy slips in. */

import { gzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { bundle } from '../scripts/bundle.mjs';

/** The page's part where a worker owns the engine, sentences for errors in two languages included. */
const PAGE_KIB = 13.5;

/** The whole SDK in one page, without a worker. */
const ALL_KIB = 43;

/** What reads a conversation before there is an engine. */
const EARLY_KIB = 8;

/** The worker. */
const WORKER_KIB = 31;

function kib(files: readonly { contents: Uint8Array }[]): number {
  return files.reduce((sum, { contents }) => sum + gzipSync(contents, { level: 9 }).length, 0) / 1024;
}

test('the bundles are small', async () => {
  const { page, early, worker } = await bundle();
  const [loadedAtOnce, loadedEarly] = [atOnce(page, 'index.js'), atOnce(early, 'early.js')];
  expect(kib(loadedAtOnce)).toBeLessThan(PAGE_KIB);
  expect(kib(page)).toBeLessThan(ALL_KIB);
  expect(kib(loadedEarly)).toBeLessThan(EARLY_KIB);
  expect(kib(worker)).toBeLessThan(WORKER_KIB);
  const shown = [loadedAtOnce, page, loadedEarly, worker].map((files) => `${kib(files).toFixed(1)} KiB`);
  const [first = '', all = '', before = '', owner = ''] = shown;
  console.error(`gzip: page ${first}, everything ${all}, early ${before}, worker ${owner}`);
});

/** A script and what it imports at once. */
function atOnce(
  files: readonly { name: string; contents: Uint8Array }[],
  entry: string,
): readonly { contents: Uint8Array }[] {
  const text = new TextDecoder().decode(files.find(({ name }) => name === entry)?.contents);
  return files.filter(({ name }) => name === entry || text.includes(`from"./${name}"`));
}
