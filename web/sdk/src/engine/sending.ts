/** Sending: from the outbox onto the line, and what the answers mean. */

import { Backoff } from '../core/backoff.js';
import { batchOfEntries, heard, PAGE, received } from '../core/conversation.js';
import { MOST_WAITING, sendBody, type Item, type Refusal } from '../core/outbox.js';
import { isTextBeyond } from '../core/size.js';
import { ownReaction, reactionBody } from '../core/standing.js';
import { Failure, tooLarge } from '../errors.js';
import type { Placed, Write } from '../store/contract.js';
import type { ClientId, ConversationId, Entry, ErrorBody, Page, Sent } from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer } from './requests.js';

/** After this pause a rebase that failed is tried again. */
const REBASE_AGAIN_MS = 2_000;

/** An act as an app composed it. */
export type Composed = Omit<Item, 'base' | 'composed_at' | 'failed'> & {
  /** The highest sequence that the page knew; the engine's own where absent. */
  base?: number;
};

/** The engine's outbox at work. */
export class Sending {
  private readonly pauses = new Map<ConversationId, Backoff>();
  private readonly places: Map<ClientId, number>;
  private lastPlace: number;

  constructor(
    private readonly engine: Engine,
    placed: readonly Placed[],
  ) {
    this.places = new Map(placed.map(({ place, item }) => [item.client_id, place]));
    this.lastPlace = placed.at(-1)?.place ?? 0;
  }

  /** Puts an act into the outbox; it is safe there when this returns. Composing the same again changes nothing. */
  async compose(composed: Composed): Promise<void> {
    const { engine } = this;
    if (engine.outbox.find(composed.client_id)) return;
    if (engine.outbox.count >= MOST_WAITING) {
      throw new Failure('outbox_full', 'Too many messages wait to be sent.');
    }
    const { conversation } = composed;
    const held = engine.held.get(conversation);
    const known = held ? received(held.state) : 0;
    const base = Math.min(composed.base ?? known, known);
    const item: Item = { ...composed, base, composed_at: engine.now() };
    this.checkSize(item);
    await engine.write([this.place(item)]);
    engine.outbox.push(item);
    await this.tell(item);
    this.pump(conversation);
    if (item.kind === 'message') engine.presences.endOwnTyping(conversation);
  }

  /** What can never be sent is better refused while somebody can still shorten it. */
  private checkSize(item: Item): void {
    const { text } = (item.body ?? {}) as { text?: unknown };
    const { text_bytes } = this.engine.outlet.limits;
    if (typeof text === 'string' && isTextBeyond(text, text_bytes)) throw tooLarge('text_too_long');
    const longest = sendBody({ ...item, base: Number.MAX_SAFE_INTEGER }, item.client_id);
    if (!this.engine.fits('send', longest)) throw tooLarge('frame_too_large');
  }

  /** Sends a failed act again, after everything that was composed since. */
  async retry(clientId: ClientId): Promise<void> {
    const { failed: _failed, ...item } = this.takeFailed(clientId);
    const remove: Write = { what: 'outbox_remove', clientId };
    this.places.delete(clientId);
    await this.engine.write([remove, this.place(item)]);
    this.engine.outbox.push(item);
    await this.tell(item);
    this.pump(item.conversation);
  }

  /** Forgets a failed act. */
  async discard(clientId: ClientId): Promise<void> {
    const item = this.takeFailed(clientId);
    await this.engine.write([this.remove(clientId)]);
    await this.tell(item);
  }

  /** Sends what can be sent in one conversation. */
  pump(conversation: ConversationId): void {
    const { engine } = this;
    if (!engine.contact.line) return;
    for (const send of engine.outbox.takeReady(conversation, engine.requests.room)) {
      engine.ask('send', send, { answered: (answer) => this.onSent(conversation, send.client_id, answer) });
    }
  }

  /** Sends what can be sent everywhere. */
  pumpAll(): void {
    this.engine.outbox.conversations().forEach((conversation) => this.pump(conversation));
  }

  /** Takes out of the outbox what is found among stored entries. */
  acknowledgeFound(conversation: ConversationId, entries: readonly Entry[]): Write[] {
    const own = entries.filter((entry) => entry.author === this.engine.me);
    const found = own.filter((entry) => this.engine.outbox.remove(conversation, entry.client_id));
    if (found.length > 0) this.engine.outlet.unsent(conversation);
    return found.map((entry) => this.remove(entry.client_id));
  }

  /** A new epoch may end before the bases of what waits; what it kept of it lies after the same base or is gone. */
  clampBases(conversation: ConversationId, head: number): Write[] {
    return this.engine.outbox.clamp(conversation, head).map((item) => this.place(item));
  }

  /** Only what failed can be taken back: anything else may be stored already. */
  private takeFailed(clientId: ClientId): Item {
    const item = this.engine.outbox.find(clientId);
    if (!item?.failed) throw new Failure('no_such_send', 'No failed message has this id.');
    this.engine.outbox.remove(item.conversation, clientId);
    return item;
  }

  private async onSent(
    conversation: ConversationId,
    clientId: ClientId,
    { ok: sent, error }: Answer<Sent>,
  ): Promise<void> {
    if (!sent) {
      await this.onRefused(conversation, clientId, error);
      return;
    }
    this.pauses.delete(conversation);
    // Where the event came first, nothing is left to do.
    const item = this.engine.outbox.find(clientId);
    if (item) await this.onStored(item, sent);
  }

  /** The server has it: it leaves the outbox and enters the history in one step. */
  private async onStored(item: Item, sent: Sent): Promise<void> {
    const { conversation, client_id, kind, target, mentions } = item;
    const body = kind === 'reaction' ? await this.replacing(item, sent) : item.body;
    if (kind === 'reaction' && body === undefined) {
      await this.onReactionStored(item, sent);
      return;
    }
    const entry: Entry = {
      seq: sent.position.seq,
      at: sent.at,
      kind,
      author: this.engine.me,
      client_id,
      ordinal: sent.ordinal,
      ...(target !== undefined && { target }),
      ...(mentions?.length && { mentions }),
      ...(body !== undefined && { body }),
    };
    const batch = batchOfEntries(sent.position.epoch, [entry]);
    const outcome = batch && (await this.engine.history.absorb(conversation, batch, 'acknowledgement'));
    if (outcome?.stale) await this.forgetSent(item);
    this.engine.history.wantMissingLater(conversation);
  }

  /**
   * A reaction's body as the server completed it: with the reaction that it replaces. Absent unless everything before it
   * is known here.
   */
  private async replacing(item: Item, sent: Sent): Promise<unknown> {
    const state = this.engine.held.get(item.conversation)?.state;
    const follows = state?.epoch === sent.position.epoch && state.synced + 1 === sent.position.seq;
    if (!follows || item.target === undefined) return undefined;
    const wanted = { seqs: new Set([item.target]), actsOn: new Set<number>() };
    const [target] = await this.engine.store.slice(item.conversation, wanted);
    if (!target) return undefined;
    const was = ownReaction(target);
    return { ...reactionBody(item.body), ...(was !== undefined && { was }) };
  }

  /** What the reaction replaced is not known here: its entry is fetched. */
  private async onReactionStored(item: Item, sent: Sent): Promise<void> {
    const { conversation } = item;
    await this.forgetSent(item);
    const held = this.engine.held.get(conversation);
    if (!held) return;
    const { state, isVoid } = heard(held.state, sent.position.epoch, sent.position.seq);
    if (isVoid) {
      await this.engine.history.void(conversation, { ...held, state });
      return;
    }
    await this.engine.write([this.engine.hold(conversation, { ...held, state })]);
    this.engine.history.wantMissingLater(conversation);
  }

  private async forgetSent(item: Item): Promise<void> {
    this.engine.outbox.remove(item.conversation, item.client_id);
    await this.engine.write([this.remove(item.client_id)]);
    await this.tell(item);
  }

  private async onRefused(conversation: ConversationId, clientId: ClientId, error: ErrorBody): Promise<void> {
    const { engine } = this;
    const refusal = engine.outbox.refused(conversation, clientId, error);
    switch (refusal.then) {
      case 'pause':
        this.pause(conversation, refusal);
        return;
      case 'rebase':
        return this.startRebase(conversation);
      case 'failed':
        return this.onFailed(clientId, error);
      case 'session_ends':
        // The close that follows says what to do.
        return;
    }
  }

  /**
   * Holds a conversation. Sends that are only out of turn stand behind one that was refused for another reason: it says
   * how long to wait, and one burst of refusals makes the pause grow once.
   */
  private pause(conversation: ConversationId, refusal: Extract<Refusal, { then: 'pause' }>): void {
    const { timers, requests, platform } = this.engine;
    const name = `release/${conversation}`;
    const isPausing = timers.isSet(name);
    if (!refusal.grows && (isPausing || requests.isAsking(`rebase/${conversation}`))) return;
    const backoff = this.pauses.get(conversation) ?? new Backoff();
    this.pauses.set(conversation, backoff);
    const growth = refusal.grows && !isPausing ? backoff.next(platform.random()) : 0;
    timers.delay(name, refusal.retryAfterMs + growth, () => this.release(conversation));
  }

  private release(conversation: ConversationId): void {
    this.engine.outbox.release(conversation);
    this.pump(conversation);
  }

  /** Refused for good: a message stays visible as failed, a change of another message is undone. */
  private async onFailed(clientId: ClientId, error: ErrorBody): Promise<void> {
    const { engine } = this;
    const item = engine.outbox.find(clientId);
    if (!item) return;
    const isMessage = item.kind === 'message';
    if (!isMessage) engine.outbox.remove(item.conversation, clientId);
    await engine.write([isMessage ? this.place(item) : this.remove(clientId)]);
    engine.outlet.event({ type: 'send_failed', conversation: item.conversation, clientId, error });
    await this.tell(item);
    this.pump(item.conversation);
  }

  /** Looks for what was committed since the lowest base: first where the log ends. */
  private startRebase(conversation: ConversationId): void {
    if (this.engine.requests.isAsking(`rebase/${conversation}`)) return;
    this.engine.ask(
      'history',
      { conversation, range: { newest: { limit: 1 } } },
      {
        key: `rebase/${conversation}`,
        answered: ({ ok: page }) =>
          page ? this.beginRebase(conversation, page) : this.rebaseLater(conversation),
      },
    );
  }

  private rebaseLater(conversation: ConversationId): void {
    this.engine.timers.set(`release/${conversation}`, REBASE_AGAIN_MS, () => this.release(conversation));
  }

  private async beginRebase(conversation: ConversationId, page: Page): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (held && held.state.epoch !== page.epoch) {
      const { state } = heard(held.state, page.epoch, page.head);
      await this.engine.history.void(conversation, { ...held, state });
    }
    const base = Math.min(this.engine.outbox.lowestBase(conversation) ?? page.head, page.head);
    if (base < page.head) this.askRebasePage(conversation, base + 1);
    else await this.rebase(conversation, base, []);
  }

  private askRebasePage(conversation: ConversationId, from: number): void {
    this.engine.ask(
      'history',
      { conversation, range: { between: { from, to: from + PAGE - 1 } } },
      {
        key: `rebase/${conversation}`,
        answered: ({ ok: page }) =>
          page ? this.onRebasePage(conversation, from, page) : this.rebaseLater(conversation),
      },
    );
  }

  private async onRebasePage(conversation: ConversationId, from: number, page: Page): Promise<void> {
    const writes = this.acknowledgeFound(conversation, page.entries);
    if (page.to >= page.head || page.to < from) {
      await this.rebase(conversation, Math.max(page.to, from - 1), writes);
      return;
    }
    await this.engine.write(writes);
    this.askRebasePage(conversation, page.to + 1);
  }

  private async rebase(conversation: ConversationId, base: number, writes: Write[]): Promise<void> {
    const moved = this.engine.outbox.rebase(conversation, base).map((item) => this.place(item));
    await this.engine.write([...writes, ...moved]);
    this.engine.outlet.unsent(conversation);
    this.pump(conversation);
  }

  /** Tells pages that an act appeared, changed or left. */
  private async tell(item: Item): Promise<void> {
    const { outlet, store } = this.engine;
    const { conversation, kind, target } = item;
    outlet.unsent(conversation);
    if (kind !== 'message' && target !== undefined) {
      outlet.messages(
        conversation,
        await store.slice(conversation, { seqs: new Set([target]), actsOn: new Set() }),
      );
    }
    outlet.event({ type: 'messages_changed', conversation });
    outlet.row(conversation);
  }

  /** The write that keeps an act, at its place or at the end. */
  private place(item: Item): Write {
    let place = this.places.get(item.client_id);
    if (place === undefined) {
      this.lastPlace += 1;
      place = this.lastPlace;
      this.places.set(item.client_id, place);
    }
    return { what: 'outbox', placed: { place, item } };
  }

  private remove(clientId: ClientId): Write {
    this.places.delete(clientId);
    return { what: 'outbox_remove', clientId };
  }
}
