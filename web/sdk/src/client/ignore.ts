/** What is done about a failure of which nobody needs to hear. */

/** Calls that only ask for something to be told: what fails is asked for again when the engine is there again. */
export function ignore(): void {
  return;
}
