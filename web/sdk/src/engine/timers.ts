/** What the engine does later. */

import type { Platform } from '../platform.js';

interface Timer {
  at: number;
  cancel: () => void;
}

/** Things to do later, each set at most once by its name. */
export class Timers {
  private readonly timers = new Map<string, Timer>();

  constructor(
    private readonly platform: Platform,
    /** Puts what is due into the engine's inbox. */
    private readonly due: (act: () => void | Promise<void>) => void,
  ) {}

  /** Acts after a while, in milliseconds; where it is set already, the earlier time counts. */
  set(name: string, milliseconds: number, act: () => void | Promise<void>): void {
    const before = this.timers.get(name);
    if (!before || before.at > this.platform.now() + milliseconds) this.begin(name, milliseconds, act);
  }

  /** As `set`, but where it is set already, the later time counts. */
  delay(name: string, milliseconds: number, act: () => void | Promise<void>): void {
    const before = this.timers.get(name);
    if (!before || before.at < this.platform.now() + milliseconds) this.begin(name, milliseconds, act);
  }

  /** Whether it is set. */
  isSet(name: string): boolean {
    return this.timers.has(name);
  }

  /** Forgets one. */
  clear(name: string): void {
    this.timers.get(name)?.cancel();
    this.timers.delete(name);
  }

  /** Forgets every one. */
  clearAll(): void {
    this.timers.forEach((timer) => timer.cancel());
    this.timers.clear();
  }

  private begin(name: string, milliseconds: number, act: () => void | Promise<void>): void {
    this.timers.get(name)?.cancel();
    const cancel = this.platform.later(milliseconds, () => {
      this.timers.delete(name);
      this.due(act);
    });
    this.timers.set(name, { at: this.platform.now() + milliseconds, cancel });
  }
}
