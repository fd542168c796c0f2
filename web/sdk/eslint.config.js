/** The linter of this package: the house rules, and leave to take a member out of an object by naming it. */

import { houseRules } from '../eslint.config.js';

export default [
  ...houseRules,
  { rules: { '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }] } },
];
