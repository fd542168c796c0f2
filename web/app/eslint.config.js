// The linter's rules for TypeScript and Svelte, the strict set of each.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['dist/**'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  {
    languageOptions: { globals: { ...globals.browser, ...globals.node } },
    // The compiler knows better which names exist.
    rules: {
      'no-undef': 'off',
      'max-lines-per-function': ['error', { max: 70 }],
      'max-lines': ['error', 500],
    },
  },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser, svelteConfig } },
    rules: {
      // Paths are followed by our own routing.
      'svelte/no-navigation-without-resolve': 'off',
      'max-lines-per-function': 'off',
      // What is only remembered or read once is better not reactive.
      'svelte/prefer-svelte-reactivity': 'off',
    },
  },
  { files: ['**/*.test.ts'], rules: { 'max-lines-per-function': 'off', 'max-lines': ['error', 800] } },
);
