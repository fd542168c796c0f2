/** How the package is bundled: the page's part with what it loads later, Node's part, and the worker in one file. */

import { build } from 'esbuild';
import { resolve } from 'node:path';

const source = resolve(import.meta.dirname, '../src');
const common = { bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none' };

/** Bundles everything in memory; gives back names and contents by part. */
export async function bundle() {
  const [page, worker, node] = await Promise.all([
    build({
      ...common,
      entryPoints: [`${source}/index.ts`],
      splitting: true,
      chunkNames: 'later-[hash]',
      outdir: '/',
      write: false,
    }),
    build({ ...common, entryPoints: { worker: `${source}/share/worker.ts` }, outdir: '/', write: false }),
    build({ ...common, entryPoints: [`${source}/node.ts`], platform: 'node', outdir: '/', write: false }),
  ]);
  const files = ({ outputFiles }) =>
    outputFiles.map(({ path, contents }) => ({ name: path.replace(/^.*\//, ''), contents }));
  return { page: files(page), worker: files(worker), node: files(node) };
}
