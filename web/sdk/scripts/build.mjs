/** Writes the package as it is published into `dist`: bundles, types, and a manifest of their own. */

import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';

import { bundle } from './bundle.mjs';

const folder = resolve(import.meta.dirname, '..');
const dist = resolve(folder, 'dist');
await rm(dist, { recursive: true, force: true });
await mkdir(dist);

const { page, early, worker, node } = await bundle();
for (const { name, contents } of [...page, ...early, ...worker, ...node]) {
  await writeFile(resolve(dist, name), contents);
  process.stdout.write(`${name}: ${(gzipSync(contents).length / 1024).toFixed(1)} KiB gzip\n`);
}
execFileSync(
  process.execPath,
  [resolve(folder, '../node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
  {
    cwd: folder,
    stdio: 'inherit',
  },
);

const { name, description, version, license, type, engines } = JSON.parse(
  await readFile(resolve(folder, 'package.json'), 'utf8'),
);
const manifest = {
  name,
  description,
  version,
  license,
  type,
  engines,
  sideEffects: ['./node.js'],
  exports: {
    '.': { types: './index.d.ts', node: './node.js', default: './index.js' },
    './early': { types: './early/index.d.ts', default: './early.js' },
    './worker': { types: './share/worker.d.ts', default: './worker.js' },
  },
};
await writeFile(resolve(dist, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
await cp(resolve(folder, 'README.md'), resolve(dist, 'README.md'));
