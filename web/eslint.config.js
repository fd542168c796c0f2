/** What the linter refuses in all packages; a package's own config adds to it. */

import eslint from '@eslint/js';
import tseslint from 'typescript-eslint';

/** The house rules that a linter can check: see STYLE.md. */
export const houseRules = tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**'] },
  eslint.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      'max-lines': ['error', { max: 500 }],
      'max-lines-per-function': ['error', { max: 70 }],
      eqeqeq: 'error',
      'no-console': ['error', { allow: ['error'] }],
    },
  },
  {
    // Whole suites are one function to the linter.
    files: ['**/test/**', '**/tests/**', '**/e2e/**', '**/*.test.ts'],
    rules: { 'max-lines': ['error', { max: 800 }], 'max-lines-per-function': 'off' },
  },
  { files: ['**/scripts/**'], languageOptions: { globals: { process: 'readonly', URL: 'readonly' } } },
);

export default houseRules;
