/** Growing, jittered pauses between tries; pure, randomness comes from outside. */

/** The longest first pause, in milliseconds. */
const FIRST_MS = 200;

/** The longest pause of all, in milliseconds. */
const LONGEST_MS = 30_000;

/** Counts tries that failed in a row. */
export class Backoff {
  private failures = 0;

  /**
   * The pause after one more failure, in milliseconds: `chance` (0 to 1) of a limit that doubles from 0.2 to 30 seconds,
   * so that clients that failed together do not come back together.
   */
  next(chance: number): number {
    const limit = Math.min(FIRST_MS * 2 ** Math.min(this.failures, 16), LONGEST_MS);
    this.failures += 1;
    return limit * Math.min(1, Math.max(0, chance));
  }

  /** It worked: start again from the shortest. */
  reset(): void {
    this.failures = 0;
  }
}
