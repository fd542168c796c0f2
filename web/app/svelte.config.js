// Svelte in runes mode everywhere; TypeScript is stripped by Vite.
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

export default {
  preprocess: vitePreprocess({ style: false }),
  compilerOptions: { runes: true },
};
