/** What a browser loads of the built client until there is something to read: which files, and how much they may be. */

import { readdir, readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

/** The built client. */
export const dist = new URL('../app/dist/', import.meta.url);

/**
 * What is loaded: all that a page names, and from a manifest of the build the sources that come by themselves before anything
 * can be read. Of languages people load one: the larger counts. Workers are built apart and stand in no manifest. `mostKib`
 * is the bound, in KiB of gzip. Tests of both compare the lists with what a browser asks for.
 */
export const loads = [
  {
    name: 'page until the list can be read',
    manifest: '.vite/page.json',
    page: 'index.html',
    sources: [],
    languages: ['src/strings/en/first.ts', 'src/strings/ko/first.ts'],
    worker: /^assets\/worker-.*\.js$/,
    mostKib: 79,
  },
  {
    name: 'widget until the conversation can be read',
    manifest: '.vite/widget.json',
    sources: ['src/widget/widget.ts'],
    languages: ['src/widget/standing/words/en.ts', 'src/widget/standing/words/ko.ts'],
    mostKib: 45,
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

/** The file that is larger when compressed. */
async function longest(files) {
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(await readFile(new URL(file, dist)), { level: 9 }).length),
  );
  return files[sizes.indexOf(Math.max(...sizes))];
}

/** All files of one load, each once. */
export async function filesOfLoad({ manifest: path, page, sources, languages, worker }) {
  const manifest = JSON.parse(await readFile(new URL(path, dist), 'utf8'));
  const spoken = await longest(languages.map((one) => manifest[one].file));
  const all = (await readdir(new URL('assets', dist))).map((name) => `assets/${name}`);
  const workers = worker === undefined ? [] : all.filter((file) => worker.test(file));
  if (worker !== undefined && workers.length === 0) throw new Error('the build has no worker');
  const html = page === undefined ? '' : await readFile(new URL(page, dist), 'utf8');
  const named = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.(?:js|css))"/g)].map(([, file]) => file);
  if (page !== undefined && named.length === 0) throw new Error(`${page} names no scripts`);
  const scripts = sources.flatMap((one) => filesOf(manifest, one));
  return [...new Set([...named, ...scripts, spoken, ...workers])];
}
