// When something that was just shown can be seen: what is not needed to see it is loaded after that.

/** Pages in the background are not painted, and must not wait for it. */
const AT_LAST_MILLISECONDS = 1_000;

/** Resolves once the browser has painted what is there now. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve();
    setTimeout(done, AT_LAST_MILLISECONDS);
    // A frame is asked for before it is painted.
    requestAnimationFrame(() => setTimeout(done));
  });
}
