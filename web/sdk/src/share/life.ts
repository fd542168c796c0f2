/** Who lives: pages and owners hold a Web Lock as long as they do, and the browser lets go of it when they die. */

/** A lock as long as this lives, or until another takes it by force. */
export interface Hold {
  /** Fulfilled when it was taken by force. */
  lost: Promise<void>;
  release(): void;
}

/** Whether this place has Web Locks; pages without HTTPS have none. */
export function hasLocks(): boolean {
  return typeof navigator !== 'undefined' && 'locks' in navigator;
}

/** Gets a lock: waits for its turn, or takes it at once by force. */
export function hold(name: string, byForce = false): Promise<Hold> {
  return new Promise((resolve) => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((done) => (release = done));
    const lost = new Promise<void>((takenByForce) => {
      const granted = (): Promise<void> => {
        // The end of the lock is heard of below.
        resolve({ lost, release });
        return held;
      };
      navigator.locks.request(name, { steal: byForce }, granted).catch(() => takenByForce());
    });
  });
}

/** The lock that a page holds as long as it lives. */
export function nameOfPage(page: string): string {
  return `suda page ${page}`;
}

/** Tells when a page is gone although it could not say so; never where there are no locks. */
export function mourn(page: string, gone: () => void): void {
  if (!hasLocks()) return;
  void hold(nameOfPage(page)).then(({ release }) => {
    release();
    gone();
  });
}
