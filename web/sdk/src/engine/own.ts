/** The account's own conversation: values that its devices agree on, the newest per key. */

import { PAGE } from '../core/conversation.js';
import { timeOrderedId } from '../core/ids.js';
import { ownItems } from '../core/sync.js';
import { tooLarge } from '../errors.js';
import type { Kept, WantedValue, Write } from '../store/contract.js';
import type { Entry, ErrorBody, OwnItem, OwnState, Page, Sent } from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer } from './requests.js';

/** After this pause values that could not be set are sent again. */
const VALUES_AGAIN_MS = 5_000;

/** After this pause the own conversation is asked for again. */
const OWN_AGAIN_MS = 5_000;

/** The longest that a timer can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The engine's own state. */
export class Own {
  /** A removed key stays as `null`, so that an older value cannot come back. */
  private readonly items: Map<string, OwnItem>;
  /** Set on this device, not acknowledged. */
  private readonly wanted: Map<string, WantedValue>;

  constructor(
    private readonly engine: Engine,
    kept: Kept,
  ) {
    this.items = new Map(kept.ownItems.map((item) => [item.key, item]));
    this.wanted = new Map(kept.wantedValues.map((value) => [value.key, value]));
  }

  /** A value as this device sees it, with what was set here and is not acknowledged; `undefined` where there is none. */
  value(key: string): unknown {
    const wanted = this.wanted.get(key);
    return (wanted ? wanted.value : this.items.get(key)?.value) ?? undefined;
  }

  /** The keys that begin with `family`. */
  keys(family: string): string[] {
    const keys = new Set([...this.items.keys(), ...this.wanted.keys()]);
    return [...keys].filter((key) => key.startsWith(family) && this.value(key) !== undefined);
  }

  async onEntries(epoch: number, entries: readonly Entry[]): Promise<void> {
    const [first, last] = [entries[0], entries.at(-1)];
    if (!first || !last) return;
    await this.hearEpoch(epoch);
    const follows = first.seq <= this.engine.progress.ownSeq + 1;
    if (!follows) this.catchUp();
    await this.absorb(entries, follows ? last.seq : 0, true);
  }

  /** No list tells of the own conversation: asks for what is new in it, or for the whole state at first. */
  catchUp(): void {
    const { requests, progress, ownId: conversation } = this.engine;
    if (requests.isAsking('own')) return;
    if (progress.ownSeq === 0) {
      // The head before the whole state is read: whatever is set meanwhile lies beyond it.
      this.engine.ask(
        'history',
        { conversation, range: { newest: { limit: 1 } } },
        {
          key: 'own/head',
          answered: (answer) => this.onHead(answer),
        },
      );
      return;
    }
    const from = progress.ownSeq + 1;
    this.engine.ask(
      'history',
      { conversation, range: { between: { from, to: from + PAGE - 1 } } },
      {
        key: 'own/entries',
        answered: (answer) => this.onPage(answer),
      },
    );
  }

  /** Forgets the own state and loads it again. */
  async reset(epoch: number): Promise<void> {
    this.items.clear();
    const write = this.engine.progressed({ ownEpoch: epoch, ownSeq: 0 });
    await this.engine.write([{ what: 'clear_own_items' }, write]);
    this.catchUp();
  }

  /** Sets a value; it is safe on this device when this returns. Fails with `frame_too_large`. */
  async set(key: string, value: unknown): Promise<void> {
    const { engine } = this;
    const clientId = timeOrderedId(engine.now(), engine.platform.randomBytes(10));
    const wanted = { key, value, clientId, base: engine.progress.ownSeq };
    const longest = { key, value, client_id: clientId, base: Number.MAX_SAFE_INTEGER };
    if (!engine.fits('set', longest)) throw tooLarge('frame_too_large');
    await this.want(wanted);
    this.tell(key, false);
    this.send(wanted);
  }

  /** Sends every value that the server has not acknowledged. */
  sendValues(): void {
    this.wanted.forEach((wanted) => this.send(wanted));
  }

  /** Tells when a conversation is not muted any more. */
  watchMutes(): void {
    for (const key of this.keys('mute/')) {
      const until = (this.value(key) as { until?: unknown }).until;
      if (typeof until !== 'number') continue;
      const pause = until - this.engine.now();
      if (pause <= 0 || pause > LONGEST_TIMER_MS) continue;
      this.engine.timers.set(key, pause, () => this.tell(key, false));
    }
  }

  /** Another epoch: what is kept may be newer than what counts now. */
  private async hearEpoch(epoch: number): Promise<void> {
    const { progress } = this.engine;
    if (progress.ownEpoch === epoch) return;
    if (progress.ownEpoch === 0) this.engine.progressed({ ownEpoch: epoch });
    else await this.reset(epoch);
  }

  private onHead({ ok: page, error }: Answer<Page>): void {
    if (!page) {
      this.later(error);
      return;
    }
    this.engine.progressed({ ownEpoch: page.epoch });
    this.askState(page.head, undefined);
  }

  private askState(head: number, after: string | undefined): void {
    this.engine.ask('own_state', after === undefined ? {} : { after }, {
      key: 'own/state',
      answered: (answer) => this.onState(head, answer),
    });
  }

  /** A page of the whole state, which counts as of `head` once it is complete. */
  private async onState(head: number, { ok: state, error }: Answer<OwnState>): Promise<void> {
    if (!state) {
      this.later(error);
      return;
    }
    const next = state.more ? state.items.at(-1)?.key : undefined;
    await this.apply(state.items, next === undefined ? head : 0, false);
    if (next !== undefined) this.askState(head, next);
  }

  private async onPage({ ok: page, error }: Answer<Page>): Promise<void> {
    if (!page) {
      if (error.code === 'beyond_head') await this.reset(this.engine.progress.ownEpoch);
      else this.later(error);
      return;
    }
    await this.hearEpoch(page.epoch);
    const known = this.engine.progress.ownSeq;
    const follows = known > 0 && page.from <= known + 1;
    await this.absorb(page.entries, follows ? page.to : 0, false);
    const { ownSeq } = this.engine.progress;
    if (known < ownSeq && ownSeq < page.head) this.catchUp();
  }

  /** Tries again later, unless there is nothing: the first value makes the own conversation. */
  private later(error: ErrorBody): void {
    if (error.retry_after_ms === undefined) return;
    this.engine.timers.set('own', Math.max(error.retry_after_ms, OWN_AGAIN_MS), () => this.catchUp());
  }

  /** Takes entries of the own conversation in; what was set on this device is acknowledged by them as well. */
  private async absorb(entries: readonly Entry[], position: number, live: boolean): Promise<void> {
    const ids = new Set(entries.map((entry) => entry.client_id));
    const stored = [...this.wanted.values()].filter((wanted) => ids.has(wanted.clientId));
    await this.apply(
      ownItems(entries),
      position,
      live,
      stored.map((wanted) => this.forget(wanted)),
    );
  }

  /** Keeps values, older ones than those kept apart, and tells pages; everything up to `position` was applied. */
  private async apply(
    items: readonly OwnItem[],
    position: number,
    live: boolean,
    writes: Write[] = [],
  ): Promise<void> {
    const newer = items.filter((item) => item.seq >= (this.items.get(item.key)?.seq ?? 0));
    newer.forEach((item) => this.items.set(item.key, item));
    const ownSeq = Math.max(this.engine.progress.ownSeq, position);
    await this.engine.write([
      ...writes,
      { what: 'own_items', items: newer },
      this.engine.progressed({ ownSeq }),
    ]);
    items.forEach((item) => this.tell(item.key, live));
  }

  /** Tells that a value changed; `live` where it changed just now rather than while nobody looked. */
  private tell(key: string, live: boolean): void {
    const { engine } = this;
    const [family, name = ''] = [key.split('/', 1)[0], key.slice(key.indexOf('/') + 1)];
    switch (family) {
      case 'mute':
        this.watchMutes();
        engine.outlet.row(name);
        break;
      case 'archive':
      case 'pin':
      case 'draft':
        engine.outlet.row(name);
        break;
      case 'contact':
        engine.people.meet(name);
        engine.people.contactsChanged(live);
        break;
      case 'device':
        engine.outlet.event({ type: 'devices' });
        break;
      case 'member':
        // Rows tell of what happened while nobody looked.
        if (live) engine.list.refresh(name);
        break;
      case 'profile':
        engine.people.ownProfileChanged();
        break;
      case 'app':
        engine.outlet.appValue(name);
        break;
    }
    engine.outlet.event({ type: 'own_state', key });
  }

  private async want(wanted: WantedValue): Promise<void> {
    this.wanted.set(wanted.key, wanted);
    await this.engine.write([{ what: 'wanted_value', value: wanted }]);
  }

  private forget(wanted: WantedValue): Write {
    this.wanted.delete(wanted.key);
    return { what: 'forget_value', key: wanted.key };
  }

  private send(wanted: WantedValue): void {
    const { key, value, clientId, base } = wanted;
    this.engine.ask(
      'set',
      { key, value, client_id: clientId, base },
      {
        answered: (answer) => this.onSent(wanted, answer),
      },
    );
  }

  private async onSent(sent: WantedValue, { ok, error }: Answer<Sent>): Promise<void> {
    if (error?.retry_after_ms !== undefined) {
      this.engine.timers.set('values', VALUES_AGAIN_MS, () => this.sendValues());
      return;
    }
    const wanted = this.wanted.get(sent.key);
    // A newer value of the same key may have taken its place.
    if (wanted?.clientId !== sent.clientId) return;
    if (error && ['stale_base', 'beyond_head'].includes(error.code)) {
      // What was committed since was seen by now, and acknowledged where it was this.
      await this.want({ ...wanted, base: this.engine.progress.ownSeq });
      this.catchUp();
      this.engine.timers.set('values', VALUES_AGAIN_MS, () => this.sendValues());
      return;
    }
    const writes = [this.forget(wanted)];
    if (ok) {
      const item = { key: sent.key, value: sent.value, seq: ok.position.seq };
      this.items.set(item.key, item);
      writes.push({ what: 'own_items', items: [item] });
    }
    await this.engine.write(writes);
    this.tell(sent.key, false);
  }
}
