// How the widget is built: one script under a name that never changes, styles inside, beside the client in `dist`.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { inlineStyles, standIns } from './widget.plugin';

export default defineConfig({
  plugins: [standIns(), svelte(), inlineStyles()],
  publicDir: false,
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    emptyOutDir: false,
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: 'src/widget/widget.ts',
      output: { entryFileNames: 'widget.js', codeSplitting: false },
    },
  },
});
