/**
 * Says what a browser loads of the built client until there is something to read, and fails where that is more than it may
 * be. `npm run build` first.
 */

import { readFile } from 'node:fs/promises';
import { brotliCompressSync, gzipSync } from 'node:zlib';

import { dist, filesOfLoad, loads } from './loads.mjs';

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

for (const load of loads) {
  const sizes = (await Promise.all((await filesOfLoad(load)).map(measure))).sort(
    (one, other) => other.gzip - one.gzip,
  );
  const sum = { plain: total(sizes, 'plain'), gzip: total(sizes, 'gzip'), brotli: total(sizes, 'brotli') };
  process.stdout.write(`   plain    gzip  brotli  KiB of the ${load.name}\n`);
  for (const one of sizes) process.stdout.write(line(one.file, one));
  process.stdout.write(line(`together; at most ${load.mostKib} KiB of gzip`, sum));
  if (sum.gzip <= load.mostKib * 1024) continue;
  process.stderr.write(`too large: the ${load.name}\n`);
  process.exitCode = 1;
}
