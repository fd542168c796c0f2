// A plugin of the build: writes `sw.js`, the service worker, with the list of files that it keeps and a hash over them.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const SOURCE = fileURLToPath(new URL('src/pwa/worker.ts', import.meta.url));
const PUBLIC = fileURLToPath(new URL('public/', import.meta.url));

/** Files of `public/` that the app needs without a network; the other icons are for whoever installs it. */
const KEPT = /^(manifest\.webmanifest|worker\.js|icons\/icon(-192)?\.(svg|png))$/;

/** Builds the service worker together with what it keeps. */
export function serviceWorker(): Plugin {
  return {
    name: 'suda:service-worker',
    apply: 'build',
    enforce: 'post',
    async generateBundle(_, bundle) {
      const hash = createHash('sha256');
      const paths = new Set<string>();
      for (const [name, file] of Object.entries(bundle).sort(([one], [other]) => (one < other ? -1 : 1))) {
        if (name.endsWith('.map') || name.startsWith('.')) continue;
        paths.add(name === 'index.html' ? '/' : `/${name}`);
        hash.update(file.type === 'chunk' ? file.code : file.source);
      }
      for (const name of readdirSync(PUBLIC, { recursive: true, encoding: 'utf8' }).filter((one) =>
        KEPT.test(one),
      )) {
        paths.add(`/${name}`);
        hash.update(readFileSync(PUBLIC + name));
      }
      const source = await compile([...paths].sort(), hash.digest('hex').slice(0, 16));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** The service worker as one script that browsers run. */
async function compile(paths: readonly string[], version: string): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: { PRECACHED: JSON.stringify(paths), VERSION: JSON.stringify(version) },
    build: { write: false, lib: { entry: SOURCE, formats: ['iife'], name: 'suda', fileName: () => 'sw.js' } },
  });
  const output = (Array.isArray(built) ? built : [built]).flatMap((one) =>
    'output' in one ? one.output : [],
  );
  const chunk = output.find((one) => one.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error('The service worker did not build.');
  return chunk.code;
}
