// Lengths of time in the largest unit that divides them, for choices such as "48 hours".

/** How long messages can be edited, as offered, in seconds. */
export const EDIT_TIMES: readonly number[] = [0, 15 * 60, 3_600, 86_400, 2 * 86_400, 7 * 86_400];

/** A length in whole units. */
export interface Duration {
  count: number;
  unit: 'minutes' | 'hours' | 'days';
}

/** The length in the largest unit of which it is a multiple; below that in minutes, rounded up. */
export function durationOf(seconds: number): Duration {
  if (seconds > 0 && seconds % 86_400 === 0) return { count: seconds / 86_400, unit: 'days' };
  if (seconds > 0 && seconds % 3_600 === 0) return { count: seconds / 3_600, unit: 'hours' };
  return { count: Math.ceil(seconds / 60), unit: 'minutes' };
}
