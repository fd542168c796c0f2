/**
 * Says what a browser loads of the built client until there is something to read, and fails where that is more than it may
 * be. `npm run build` first.
 */

import { readdir, readFile } from 'node:fs/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';

const dist = new URL('../app/dist/', import.meta.url);

/**
 * What is loaded: all that a page names, and from a manifest of the build the sources that come by themselves before anything
 * can be read. Of languages people load one: the larger counts. Workers are built apart and stand in no manifest. `mostKib`
 * is the bound, in KiB of gzip; the widget's goal is 45, and its bound keeps it from growing.
 */
const loads = [
  {
    name: 'page until the list can be read',
    manifest: '.vite/page.json',
    page: 'index.html',
    sources: [],
    languages: ['src/strings/en/first.ts', 'src/strings/ko/first.ts'],
    worker: /^assets\/worker-.*\.js$/,
    mostKib: 80,
  },
  {
    name: 'widget until the conversation can be read',
    manifest: '.vite/widget.json',
    sources: ['src/widget/widget.ts', '../sdk/src/share/election.ts'],
    languages: ['src/widget/standing/words/en.ts', 'src/widget/standing/words/ko.ts'],
    mostKib: 75,
  },
];

/** The files of a chunk and of what it imports; styles come with scripts. */
function filesOf(manifest, source, seen = new Set()) {
  const chunk = manifest[source];
  if (chunk === undefined) throw new Error(`the build has nothing of ${source}`);
  if (seen.has(source)) return [];
  seen.add(source);
  const own = [chunk.file, ...(chunk.css ?? [])];
  return [...own, ...(chunk.imports ?? []).flatMap((one) => filesOf(manifest, one, seen))];
}

/** One file's sizes in bytes. */
async function measure(file) {
  const content = await readFile(new URL(file, dist));
  return {
    file,
    plain: content.length,
    gzip: gzipSync(content, { level: 9 }).length,
    brotli: brotliCompressSync(content).length,
  };
}

const total = (sizes, form) => sizes.reduce((sum, one) => sum + one[form], 0);
const kib = (bytes) => (bytes / 1024).toFixed(1).padStart(8);
const line = (name, { plain, gzip, brotli }) => `${kib(plain)}${kib(gzip)}${kib(brotli)}  ${name}\n`;

/** All files of one load, each once. */
async function sizesOf({ manifest: path, page, sources, languages, worker }) {
  const manifest = JSON.parse(await readFile(new URL(path, dist), 'utf8'));
  const spoken = await Promise.all(languages.map((one) => measure(manifest[one].file)));
  const longest = spoken.reduce((one, other) => (other.gzip > one.gzip ? other : one)).file;
  const all = (await readdir(new URL('assets', dist))).map((name) => `assets/${name}`);
  const workers = worker === undefined ? [] : all.filter((file) => worker.test(file));
  if (worker !== undefined && workers.length === 0) throw new Error('the build has no worker');
  const html = page === undefined ? '' : await readFile(new URL(page, dist), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file]) => file);
  if (page !== undefined && named.length === 0) throw new Error(`${page} names no scripts`);
  const scripts = sources.flatMap((one) => filesOf(manifest, one));
  return Promise.all([...new Set([...named, ...scripts, longest, ...workers])].map(measure));
}

for (const load of loads) {
  const sizes = (await sizesOf(load)).sort((one, other) => other.gzip - one.gzip);
  const sum = { plain: total(sizes, 'plain'), gzip: total(sizes, 'gzip'), brotli: total(sizes, 'brotli') };
  process.stdout.write(`   plain    gzip  brotli  KiB of the ${load.name}\n`);
  for (const one of sizes) process.stdout.write(line(one.file, one));
  process.stdout.write(line(`together; at most ${load.mostKib} KiB of gzip`, sum));
  if (sum.gzip <= load.mostKib * 1024) continue;
  process.stderr.write(`too large: the ${load.name}\n`);
  process.exitCode = 1;
}
