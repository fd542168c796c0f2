// How the widget is built: one script under a name that never changes, which loads the rest by content hash; styles inside,
// beside the client in `dist`.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { withoutCustomElements, withoutHydration } from './svelte.parts';
import { inlineStyles, plainImports, standIns } from './widget.plugin';

/** The SDK, and what of it comes only where it is needed. */
const ENGINE = /\/sdk\/src\/|\/idb\//u;
const SELDOM = /\/sdk\/src\/(?:index|sentences|store\/memory|transport\/polling)\.ts$/u;

export default defineConfig({
  plugins: [standIns(), plainImports(), svelte(), withoutHydration(), inlineStyles()],
  publicDir: false,
  base: './',
  build: {
    // For the script that measures what is loaded.
    manifest: '.vite/widget.json',
    target: ['chrome123', 'firefox120', 'safari17.5'],
    emptyOutDir: false,
    cssCodeSplit: false,
    // Scripts of another origin's page find each other by where they lie, and load nothing ahead.
    modulePreload: false,
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: 'src/widget/widget.ts',
      treeshake: withoutCustomElements,
      output: {
        entryFileNames: 'widget.js',
        chunkFileNames: 'assets/widget/[name]-[hash].js',
        codeSplitting: {
          groups: [
            { name: 'element', tags: ['$initial'], test: (id) => !id.endsWith('/widget.ts'), priority: 1 },
            // What comes next is one script as well: parts of it that ask for the next would be waited for in turn.
            { name: 'engine', test: (id) => ENGINE.test(id) && !SELDOM.test(id) },
          ],
        },
      },
    },
  },
});
