/** Puts gzip and brotli forms beside the files of a folder, so that the server compresses nothing while it serves. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** What shrinks; pictures and fonts are compressed already. */
const worthwhile = /\.(html|js|css|json|webmanifest|svg|txt)$/;
/** Below this a smaller body makes no packet less. */
const leastBytes = 512;

const [folder] = process.argv.slice(2);
const names = (await readdir(folder, { recursive: true })).filter((name) => worthwhile.test(name));
for (const name of names) {
  const path = join(folder, name);
  const content = await readFile(path);
  if (content.length < leastBytes) continue;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
  };
  await writeFile(`${path}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
  await writeFile(`${path}.br`, brotliCompressSync(content, { params }));
}
