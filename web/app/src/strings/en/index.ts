// English: every string of the app. The other languages have the same keys, which the compiler checks.
import { first } from './first';
import { later } from './later';

export const en = { ...first, ...later };
