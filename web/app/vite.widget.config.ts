// How the widget is built: one script under a name that never changes, styles inside, beside the client in `dist`.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

import { inlineStyles } from './widget.plugin';

export default defineConfig({
  plugins: [svelte(), inlineStyles()],
  publicDir: false,
  build: {
    target: ['chrome123', 'firefox120', 'safari17.5'],
    emptyOutDir: false,
    cssCodeSplit: false,
    lib: { entry: 'src/widget/widget.ts', formats: ['es'], fileName: () => 'widget.js' },
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
