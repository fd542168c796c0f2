// Lengths of time in their largest unit.
import { expect, it } from 'vitest';

import { durationOf } from './durations';

it.each([
  [0, 0, 'minutes'],
  [1, 1, 'minutes'],
  [900, 15, 'minutes'],
  [3_600, 1, 'hours'],
  [5_400, 90, 'minutes'],
  [86_400, 1, 'days'],
  [172_800, 2, 'days'],
])('%d seconds', (seconds, count, unit) => {
  expect(durationOf(seconds)).toEqual({ count, unit });
});
