// Initials of names in several scripts, and of hostile ones.
import { expect, it } from 'vitest';

import { initials } from './initials';

it.each([
  ['Mina Kim', 'MK'],
  ['mina', 'M'],
  ['mina_the.great', 'MG'],
  ['김미나', '김'],
  ['김 미나', '김'],
  ['田中 太郎', '田'],
  ['👩‍👩‍👧 family', '👩‍👩‍👧'],
  ['محمد علي', 'مع'],
  ['', ''],
  ['   ', ''],
  ['\u202Eevil', 'E'],
  ['<b>', 'B'],
  ['Z\u0335\u0321\u0321\u0322 x', 'ZX'],
])('%s → %s', (name, expected) => expect(initials(name)).toBe(expected));
