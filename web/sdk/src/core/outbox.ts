/**
 * What waits to be stored by the server, in order per conversation: pure, without clock or I/O.
 *
 * Sends are pipelined. When one is refused for now, nothing more of its conversation is sent until every answer that is
 * still on its way has come; then everything unacknowledged is sent again in order, under the same client ids.
 */

import type { ClientId, ConversationId, ErrorBody, Mention, SendBody } from '../wire.js';

/** How many sends may wait altogether. */
export const MOST_WAITING = 1_000;

/** How many sends of one conversation may be unanswered at a time. */
export const MOST_IN_FLIGHT = 16;

/** What can be sent. */
export type SendKind = 'message' | 'edit' | 'delete' | 'reaction';

/** One act that the server has not acknowledged; never changed in place. */
export interface Item {
  /** The act's name for ever. */
  readonly client_id: ClientId;
  readonly conversation: ConversationId;
  /** The highest sequence received there when it was composed. */
  readonly base: number;
  readonly kind: SendKind;
  /** What it answers, changes or deletes. */
  readonly target?: number;
  readonly mentions?: Mention[];
  /** What it says. */
  readonly body?: unknown;
  /** When it was composed, by this device's clock, milliseconds since 1970. */
  readonly composed_at: number;
  /** Why the server refused it for good. */
  readonly failed?: ErrorBody;
}

/** What a refusal means for the conversation's sends. */
export type Refusal =
  /** Pause, then `release`. The pause should grow unless only the order was wrong. */
  | { then: 'pause'; retryAfterMs: number; grows: boolean }
  /** Read from the lowest base to the head, then `rebase`. */
  | { then: 'rebase' }
  /** This one failed for good; those after it go on. */
  | { then: 'failed' }
  /** The session ends; everything is sent again by the next one. */
  | { then: 'session_ends' };

interface Slot {
  item: Item;
  isInFlight: boolean;
}

interface Queue {
  slots: Slot[];
  /** Nothing is sent until a pause or a rebase is over. */
  isHeld: boolean;
}

/** Everything unacknowledged. */
export class Outbox {
  private readonly queues = new Map<ConversationId, Queue>();

  /** The outbox as it was stored, in the order in which it was composed. */
  constructor(items: readonly Item[] = []) {
    items.forEach((item) => this.push(item));
  }

  /** How many acts it holds, failed ones included. */
  get count(): number {
    let count = 0;
    for (const queue of this.queues.values()) count += queue.slots.length;
    return count;
  }

  /** Adds an act at the end. The caller has checked `count` and stored it. */
  push(item: Item): void {
    const queue = this.queues.get(item.conversation) ?? { slots: [], isHeld: false };
    queue.slots.push({ item, isInFlight: false });
    this.queues.set(item.conversation, queue);
  }

  /** The conversations with something unacknowledged. */
  conversations(): ConversationId[] {
    return [...this.queues.keys()];
  }

  /** What waits or failed in one conversation, in order. */
  of(conversation: ConversationId): Item[] {
    return this.queues.get(conversation)?.slots.map((slot) => slot.item) ?? [];
  }

  /** The act with this client id. */
  find(clientId: ClientId): Item | undefined {
    for (const queue of this.queues.values()) {
      const slot = queue.slots.find((one) => one.item.client_id === clientId);
      if (slot) return slot.item;
    }
    return undefined;
  }

  /** What to send now, at most `room`, in order; they count as in flight from here on. */
  takeReady(conversation: ConversationId, room: number): SendBody[] {
    const queue = this.queues.get(conversation);
    if (!queue || queue.isHeld) return [];
    const live = queue.slots.filter((slot) => !slot.item.failed);
    const inFlight = live.filter((slot) => slot.isInFlight).length;
    // What is in flight behind something that waits was overtaken by a refusal: let its answers come first.
    if (live.slice(inFlight).some((slot) => slot.isInFlight)) return [];
    const end = Math.min(live.length, inFlight + Math.min(room, Math.max(0, MOST_IN_FLIGHT - inFlight)));
    return live.slice(inFlight, end).map((slot, index) => {
      slot.isInFlight = true;
      return sendBody(slot.item, live[inFlight + index - 1]?.item.client_id);
    });
  }

  /** Takes an act out: the server has stored it, or it is given up. */
  remove(conversation: ConversationId, clientId: ClientId): Item | undefined {
    const queue = this.queues.get(conversation);
    const index = queue?.slots.findIndex((slot) => slot.item.client_id === clientId) ?? -1;
    if (!queue || index < 0) return undefined;
    const [slot] = queue.slots.splice(index, 1);
    if (queue.slots.length === 0) this.queues.delete(conversation);
    return slot?.item;
  }

  /** The server refused it: says what to do, and holds the conversation until that is done. */
  refused(conversation: ConversationId, clientId: ClientId, error: ErrorBody): Refusal {
    const refusal = meaning(error);
    const queue = this.queues.get(conversation);
    if (!queue) return refusal;
    const slot = queue.slots.find((one) => one.item.client_id === clientId);
    if (slot) {
      slot.isInFlight = false;
      if (refusal.then === 'failed') slot.item = { ...slot.item, failed: error };
    }
    queue.isHeld ||= refusal.then !== 'failed';
    return refusal;
  }

  /** The pause is over. */
  release(conversation: ConversationId): void {
    const queue = this.queues.get(conversation);
    if (queue) queue.isHeld = false;
  }

  /** The lowest base of what waits: a rebase reads from the entry after it. */
  lowestBase(conversation: ConversationId): number | undefined {
    const waiting = this.of(conversation).filter((item) => !item.failed);
    return waiting.length > 0 ? Math.min(...waiting.map((item) => item.base)) : undefined;
  }

  /**
   * Everything up to `base` was read, and what was found there acknowledged: the rest goes on from there. Gives back the
   * acts that changed.
   */
  rebase(conversation: ConversationId, base: number): Item[] {
    const queue = this.queues.get(conversation);
    if (!queue) return [];
    queue.isHeld = false;
    return queue.slots.map((slot) => (slot.item = { ...slot.item, base }));
  }

  /**
   * The log is another one and ends at `head`: what it kept of these acts lies after their bases all the same. Gives
   * back the acts that changed.
   */
  clamp(conversation: ConversationId, head: number): Item[] {
    const slots = this.queues.get(conversation)?.slots ?? [];
    const beyond = slots.filter((slot) => slot.item.base > head);
    return beyond.map((slot) => (slot.item = { ...slot.item, base: head }));
  }

  /** The connection is gone, and every answer with it: everything is sent again on the next one. */
  disconnected(): void {
    for (const queue of this.queues.values()) {
      queue.isHeld = false;
      queue.slots.forEach((slot) => (slot.isInFlight = false));
    }
  }
}

/** The request that sends an act, after the one that precedes it. */
export function sendBody(item: Item, after: ClientId | undefined): SendBody {
  const { conversation, client_id, base, kind, target, mentions, body } = item;
  return {
    conversation,
    client_id,
    base,
    ...(after !== undefined && { after }),
    kind,
    ...(target !== undefined && { target }),
    ...(mentions?.length && { mentions }),
    ...(body !== undefined && { body }),
  };
}

/** What an error means for a send. */
function meaning(error: ErrorBody): Refusal {
  switch (error.code) {
    case 'stale_base':
    case 'beyond_head':
      return { then: 'rebase' };
    case 'unauthenticated':
    case 'account_disabled':
    case 'hello_first':
      return { then: 'session_ends' };
  }
  const { retry_after_ms: retryAfterMs } = error;
  if (retryAfterMs === undefined || retryAfterMs === null) return { then: 'failed' };
  return { then: 'pause', retryAfterMs, grows: error.code !== 'out_of_turn' };
}
