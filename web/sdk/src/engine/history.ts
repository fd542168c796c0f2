/** Entries: taking them in, from wherever they come, and fetching what is missing. */

import {
  absorbed,
  batchOfEntries,
  batchOfPage,
  confirmed,
  emptySlice,
  missing,
  received,
  unknown,
  wanted,
  type Batch,
  type Outcome,
  type Slice,
} from '../core/conversation.js';
import { keepFrom, last } from '../core/ranges.js';
import { advancedByAll, type RowChange } from '../core/sync.js';
import { isShown, stored } from '../core/view.js';
import { Failure, stopped } from '../errors.js';
import type { Held, Write } from '../store/contract.js';
import type { ConversationId, Entries, Entry, ErrorBody, HistoryRange, Page, Reset } from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer, Purpose } from './requests.js';

/** How many conversations are filled at a time. */
const MOST_FILLS = 4;

/** So many numbers of each conversation are kept from one start to the next; earlier ones are read again. */
const MOST_KEPT = 4_000;

/** How much is fetched of a conversation of which nothing is cached. */
const PREFETCH = 50;

/** After this pause a fill that got nowhere is tried again. */
const FILL_AGAIN_MS = 2_000;

/** An acknowledgement may overtake the events before it; only after this pause are they missed. */
const OVERTAKEN_MS = 700;

/** Where entries come from: told without being asked, the acknowledgement of an own send, a page that was asked for. */
export type Source = 'event' | 'acknowledgement' | 'page';

/** The engine's histories. */
export class History {
  /** Which conversations wait to be filled. */
  private waiting: ConversationId[] = [];
  private running = new Set<ConversationId>();

  constructor(private readonly engine: Engine) {}

  async onEntries({ conversation, epoch, entries }: Entries): Promise<void> {
    if (conversation === this.engine.ownId) {
      await this.engine.own.onEntries(epoch, entries);
      return;
    }
    const batch = batchOfEntries(epoch, entries);
    if (!batch) return;
    await this.absorb(conversation, batch, 'event');
    this.wantMissing(conversation);
  }

  /** Takes entries in and keeps everything that follows from them in one transaction. */
  async absorb(conversation: ConversationId, batch: Batch, source: Source): Promise<Outcome> {
    const { engine } = this;
    const before: Held = engine.held.get(conversation) ?? { state: unknown(batch.epoch, 0) };
    const slice = emptySlice();
    for (const entry of await engine.store.slice(conversation, wanted(before.state, batch))) {
      slice.entries.set(entry.entry.seq, entry);
    }
    const { state, outcome } = absorbed(before.state, slice, batch, engine.me);
    if (outcome.stale) return outcome;
    let held: Held = { ...before, state };
    let change: RowChange = held.row ? 'none' : 'outdated';
    if (held.row && source !== 'page') {
      const advance = advancedByAll(held.row, batch.entries, engine.me);
      held = { ...held, row: advance.row };
      change = advance.change;
    }
    await engine.write(this.consequences(conversation, held, outcome, slice, batch.entries));
    this.tell(conversation, before, outcome, slice, change, source);
    if (change === 'outdated') engine.list.refresh(conversation);
    const isOfOthers = batch.entries.some((entry) => entry.author !== engine.me);
    if (state.synced > before.state.synced && isOfOthers)
      engine.marks.wasDelivered(conversation, state.synced);
    batch.entries.forEach((entry) => engine.people.meet(entry.author));
    if (source === 'event') engine.presences.stopTyping(conversation, batch.entries);
    return outcome;
  }

  /** What to write after a batch was absorbed. */
  private consequences(
    conversation: ConversationId,
    held: Held,
    outcome: Outcome,
    slice: Slice,
    entries: readonly Entry[],
  ): Write[] {
    const { engine } = this;
    const writes: Write[] = [];
    if (outcome.reset) {
      writes.push({ what: 'drop_below', conversation, seq: Number.MAX_SAFE_INTEGER });
      writes.push(...engine.sending.clampBases(conversation, held.state.head));
    }
    writes.push(engine.hold(conversation, held));
    const changed = [...slice.dirty].map((seq) => slice.entries.get(seq)).filter((one) => one !== undefined);
    writes.push({ what: 'entries', conversation, entries: changed });
    if (outcome.droppedBelow > 0)
      writes.push({ what: 'drop_below', conversation, seq: outcome.droppedBelow });
    writes.push(...engine.sending.acknowledgeFound(conversation, entries));
    return writes;
  }

  /** Tells pages what changed. */
  private tell(
    conversation: ConversationId,
    before: Held,
    outcome: Outcome,
    slice: Slice,
    change: RowChange,
    source: Source,
  ): void {
    const { outlet } = this.engine;
    if (outcome.reset) outlet.event({ type: 'conversation_reset', conversation });
    if (outcome.reset || outcome.droppedBelow > 0) outlet.reload(conversation);
    const newest = received(before.state);
    const dirty = [...slice.dirty].sort((one, other) => one - other);
    const shown = dirty.flatMap((seq) => slice.entries.get(seq) ?? []).filter((one) => isShown(one.entry));
    const isNew = (seq: number): boolean => source === 'event' && seq > newest && outcome.added.has(seq);
    const fresh = shown.filter((one) => isNew(one.entry.seq));
    outlet.messages(conversation, shown);
    if (fresh.length < dirty.length) outlet.event({ type: 'messages_changed', conversation });
    if (fresh.length > 0) {
      const messages = fresh.map((one) => stored(conversation, one));
      outlet.event({ type: 'messages_added', conversation, messages });
    }
    if (change !== 'none') outlet.row(conversation);
  }

  /** Everything cached of a conversation is void: its log is another one now. */
  async void(conversation: ConversationId, held: Held): Promise<void> {
    const { engine } = this;
    await engine.write([
      { what: 'drop_below', conversation, seq: Number.MAX_SAFE_INTEGER },
      engine.hold(conversation, held),
      ...engine.sending.clampBases(conversation, held.state.head),
    ]);
    engine.outlet.reload(conversation);
    engine.outlet.event({ type: 'conversation_reset', conversation });
    engine.outlet.row(conversation);
    engine.list.refresh(conversation);
    this.wantFill(conversation);
  }

  async onReset({ conversation, epoch }: Reset): Promise<void> {
    if (conversation === this.engine.ownId) {
      await this.engine.own.reset(epoch);
      return;
    }
    const held = this.engine.held.get(conversation);
    const head = held?.state.epoch === epoch ? held.state.head : 0;
    await this.void(conversation, { ...held, state: unknown(epoch, head) });
  }

  /**
   * A list's head lies below what was received: asks the log itself. Where the log has it, what the list said was only
   * older than what was told meanwhile, and is asked for again: nobody else would bring the row.
   */
  verify(conversation: ConversationId): void {
    const held = this.engine.held.get(conversation);
    if (!held) return;
    const known = received(held.state);
    this.engine.ask(
      'history',
      { conversation, range: { newest: { limit: 1 } } },
      {
        answered: async ({ ok: page }) => {
          const now = this.engine.held.get(conversation);
          if (!page || !now) return;
          const { state, isVoid } = confirmed(now.state, page.epoch, page.head, known);
          if (isVoid) await this.void(conversation, { ...now, state });
          else this.engine.list.refresh(conversation);
        },
      },
    );
  }

  /** Lets go of what is cached far behind, so that the cache stays bounded. */
  shortened(): Write[] {
    const writes: Write[] = [];
    for (const [conversation, held] of this.engine.held) {
      const first = (last(held.state.known) ?? 0) - MOST_KEPT;
      if ((held.state.known[0]?.[0] ?? Infinity) >= first) continue;
      const state = { ...held.state, known: keepFrom(held.state.known, first) };
      writes.push(this.engine.hold(conversation, { ...held, state }), {
        what: 'drop_below',
        conversation,
        seq: first,
      });
    }
    return writes;
  }

  /** Fetches what is missing, if anything is. */
  wantMissing(conversation: ConversationId): void {
    const held = this.engine.held.get(conversation);
    if (held && missing(held.state)) this.wantFill(conversation);
  }

  /** As `wantMissing`, after a pause in which it may come by itself. */
  wantMissingLater(conversation: ConversationId): void {
    const held = this.engine.held.get(conversation);
    if (!held || !missing(held.state)) return;
    this.engine.timers.set(`fill/${conversation}`, OVERTAKEN_MS, () => this.wantMissing(conversation));
  }

  /** Fetches what is missing, or the newest page where nothing is cached; what is on screen comes first. */
  wantFill(conversation: ConversationId): void {
    if (this.waiting.includes(conversation) || this.running.has(conversation)) return;
    if (this.engine.marks.isOnScreen(conversation)) this.waiting.unshift(conversation);
    else this.waiting.push(conversation);
  }

  /** Fetches what every cached conversation lacks. */
  fillAllBehind(): void {
    for (const [conversation, held] of this.engine.held) {
      const isMember = held.row?.role !== undefined || !held.row;
      if (isMember && missing(held.state)) this.wantFill(conversation);
    }
  }

  startFills(): void {
    const { engine } = this;
    // A new line finds out again what is missing.
    if (!engine.contact.line) this.waiting = [];
    while (this.running.size < MOST_FILLS && engine.requests.room > 0) {
      const conversation = this.waiting.shift();
      if (conversation === undefined) return;
      const range = this.rangeToFill(conversation);
      if (!range) continue;
      this.running.add(conversation);
      engine.ask(
        'history',
        { conversation, range },
        {
          answered: (answer) => this.onFilled(conversation, answer),
        },
      );
    }
  }

  /** The line is gone. */
  forgetFills(): void {
    this.waiting = [];
    this.running.clear();
  }

  private rangeToFill(conversation: ConversationId): HistoryRange | undefined {
    const state = this.engine.held.get(conversation)?.state;
    if (!state) return undefined;
    return state.known.length === 0 ? { newest: { limit: PREFETCH } } : missing(state);
  }

  private async onFilled(conversation: ConversationId, { ok: page, error }: Answer<Page>): Promise<void> {
    this.running.delete(conversation);
    if (!page) {
      this.onUnfilled(conversation, error);
      return;
    }
    const lacks = (): string | undefined => {
      const held = this.engine.held.get(conversation);
      return held && JSON.stringify(missing(held.state));
    };
    const before = lacks();
    const outcome = await this.absorb(conversation, batchOfPage(page), 'page');
    const after = lacks();
    if (after === undefined) return;
    if (after !== before && !outcome.stale) this.wantFill(conversation);
    else this.fillLater(conversation, FILL_AGAIN_MS);
  }

  private onUnfilled(conversation: ConversationId, error: ErrorBody): void {
    if (error.code === 'beyond_head') this.verify(conversation);
    else if (isNoMember(error)) this.engine.list.refresh(conversation);
    else if (error.retry_after_ms !== undefined) {
      this.fillLater(conversation, Math.max(error.retry_after_ms, FILL_AGAIN_MS));
    }
  }

  private fillLater(conversation: ConversationId, pause: number): void {
    this.engine.timers.set(`fill/${conversation}`, pause, () => this.wantFill(conversation));
  }

  /** Brings history into the cache for somebody who looks. Not a step: waits for the server. */
  look(conversation: ConversationId, range: HistoryRange): Promise<void> {
    return new Promise((resolve, reject) => {
      const purpose: Purpose<Page> = {
        abandoned: reject,
        answered: async ({ ok: page, error }) => {
          if (!page) {
            reject(Failure.of(error));
            return;
          }
          await this.absorb(conversation, batchOfPage(page), 'page');
          this.wantMissing(conversation);
          resolve();
        },
      };
      this.engine.enqueue(
        () => this.engine.ask('history', { conversation, range }, purpose),
        () => reject(stopped()),
      );
    });
  }
}

/** Whether the account may not read it any more. */
export function isNoMember(error: ErrorBody): boolean {
  return error.code === 'not_member' || error.code === 'no_such_conversation';
}
