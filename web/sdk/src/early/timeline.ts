/** A timeline of which the first messages are there before its engine. */

import type { Timeline } from '../api.js';
import { ignore } from '../client/ignore.js';
import type { Platform } from '../platform.js';
import type { Live, TimelineView } from '../model.js';
import { Relay } from './relay.js';

/** After so long the engine's timeline counts, whatever it shows, in milliseconds. */
const AT_LAST_MS = 5_000;

/** Shows what was read first until the whole timeline has all of it. */
export class EarlyTimeline extends Relay<TimelineView> implements Timeline {
  /** The whole timeline, once it is what is shown. */
  private readonly shown: Promise<Timeline>;

  constructor(
    first: Live<TimelineView>,
    private readonly coming: Promise<Timeline>,
    platform: Platform,
  ) {
    super(first);
    this.shown = this.change(first, platform);
    this.shown.catch(ignore);
  }

  async loadEarlier(): Promise<boolean> {
    return (await this.shown).loadEarlier();
  }

  async loadLater(): Promise<boolean> {
    return (await this.shown).loadLater();
  }

  async jumpTo(seq: number): Promise<void> {
    const whole = await this.coming;
    await whole.jumpTo(seq);
    this.follow(whole);
  }

  async jumpToNewest(): Promise<void> {
    const whole = await this.coming;
    await whole.jumpToNewest();
    this.follow(whole);
  }

  keep(seq?: number): void {
    this.shown.then((whole) => whole.keep(seq), ignore);
  }

  close(): void {
    this.coming.then((whole) => whole.close(), ignore);
  }

  /** Messages that are shown must not be gone for a moment. */
  private async change(first: Live<TimelineView>, platform: Platform): Promise<Timeline> {
    const whole = await this.coming;
    const late = new Promise<void>((resolve) => platform.later(AT_LAST_MS, resolve));
    const hasAll = ({ messages, loading }: TimelineView): boolean => {
      const last = first.value.messages.at(-1)?.seq ?? 0;
      return last === 0 || (!loading && messages.some(({ seq }) => (seq ?? 0) >= last));
    };
    await Promise.race([this.followOnce(whole, hasAll), late]);
    this.follow(whole);
    return whole;
  }
}
