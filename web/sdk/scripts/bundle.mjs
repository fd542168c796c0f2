/** How the package is bundled: the page's part and the early one, each with what it loads later, Node's, and the worker. */

import { build } from 'esbuild';
import { resolve } from 'node:path';

const source = resolve(import.meta.dirname, '../src');
const common = { bundle: true, format: 'esm', target: 'es2022', minify: true, legalComments: 'none' };

/** Bundles everything in memory; gives back names and contents by part. */
export async function bundle() {
  const split = { ...common, splitting: true, chunkNames: 'later-[hash]', outdir: '/', write: false };
  const [page, early, worker, node] = await Promise.all([
    build({ ...split, entryPoints: [`${source}/index.ts`] }),
    build({ ...split, entryPoints: { early: `${source}/early/index.ts` } }),
    build({ ...common, entryPoints: { worker: `${source}/share/worker.ts` }, outdir: '/', write: false }),
    build({ ...common, entryPoints: [`${source}/node.ts`], platform: 'node', outdir: '/', write: false }),
  ]);
  const files = ({ outputFiles }) =>
    outputFiles.map(({ path, contents }) => ({ name: path.replace(/^.*\//, ''), contents }));
  return { page: files(page), early: files(early), worker: files(worker), node: files(node) };
}
