// A plugin of the build: a script of a kilobyte runs before the app, which is loaded meanwhile and started by it.
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'vite';

const SOURCE = fileURLToPath(new URL('src/glimpse/first.ts', import.meta.url));

/** The app's script as Vite names it in the page. */
const APP = /<script type="module" crossorigin src="([^"]+)"><\/script>/;

/** Builds the first script, and lets the page start with it. */
export function firstScript(): Plugin {
  let name = '';
  return {
    name: 'suda:first-script',
    apply: 'build',
    async generateBundle() {
      const source = await compile();
      name = `assets/first-${createHash('sha256').update(source).digest('hex').slice(0, 8)}.js`;
      this.emitFile({ type: 'asset', fileName: name, source });
    },
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const app = APP.exec(html)?.[1];
        if (app === undefined) throw new Error('The page names no script of the app.');
        return html
          .replace(APP, `<link rel="modulepreload" crossorigin href="${app}">`)
          .replace('</body>', `  <script src="/${name}" data-page="${app}"></script>\n  </body>`);
      },
    },
  };
}

/** The script as browsers run it. */
async function compile(): Promise<string> {
  const built = await build({
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    build: {
      write: false,
      lib: { entry: SOURCE, formats: ['iife'], name: 'suda', fileName: () => 'first.js' },
    },
  });
  const output = (Array.isArray(built) ? built : [built]).flatMap((one) =>
    'output' in one ? one.output : [],
  );
  const chunk = output.find((one) => one.type === 'chunk');
  if (chunk?.type !== 'chunk') throw new Error('The first script did not build.');
  return chunk.code;
}
