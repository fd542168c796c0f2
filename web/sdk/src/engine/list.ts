/** The list of conversations: rows, windows of rows, and single conversations. */

import { heard, isDoubtful, unknown } from '../core/conversation.js';
import { readLocally } from '../core/sync.js';
import { Failure, stopped } from '../errors.js';
import type { Held, Write } from '../store/contract.js';
import type { ConversationId, ConversationWindow, Detail, Limits, Row } from '../wire.js';
import type { Engine } from './engine.js';
import { isNoMember } from './history.js';
import type { Answer } from './requests.js';

/** How many rows are asked for at a time. */
const ROWS = 200;

/** How many more rows somebody who scrolls gets at a time. */
const MORE_ROWS = 100;

/** After this pause a conversation that could not be told is asked for again. */
const DETAIL_AGAIN_MS = 1_000;

/** What is unread of conversations that are not cached is fetched after this pause: the list comes first. */
const PREFETCH_AFTER_MS = 1_500;

/** So many of the conversations touched last are fetched, so that they can be read without a network. */
const MOST_PREFETCHED = 20;

/** The engine's list. */
export class List {
  /** The newest details, by conversation, of those that somebody looks at. */
  private readonly details = new Map<ConversationId, Detail>();

  constructor(private readonly engine: Engine) {}

  /** Where no welcome tells: asks for the rows touched since the resume token, or for the newest. */
  askFirstWindow(): void {
    this.askRows(this.engine.progress.resume, undefined, undefined);
  }

  /** Whether rows are still to come before the resume token counts. */
  isPaging(): boolean {
    return this.engine.requests.isAsking('rows');
  }

  async hearLimits(limits: Limits): Promise<void> {
    if (this.engine.outlet.changeLimits(limits)) await this.engine.write([{ what: 'limits', limits }]);
  }

  /**
   * Applies a window. The resume token of the first one counts once every row it speaks for is applied: all those
   * touched `since`, or, where the server could not resume, all there are if the cache holds any that may be behind.
   */
  async applyWindow(
    window: ConversationWindow,
    since: string | undefined,
    first: string | undefined,
  ): Promise<void> {
    const { engine } = this;
    const mustEnd = since !== undefined || first !== undefined || engine.held.size > 0;
    const token = first ?? window.resume;
    if (mustEnd && window.next !== undefined) {
      await this.applyRows(window.rows);
      this.askRows(since, window.next, token);
      return;
    }
    const cursor = engine.contact.takeCursor();
    const { cursor: _cursor, ...progress } = engine.progress;
    engine.progress = progress;
    if (since === undefined) delete engine.progress.nextWindow;
    const write = engine.progressed({
      resume: token,
      ...(since === undefined && window.next !== undefined && { nextWindow: window.next }),
      ...(cursor !== undefined && { cursor }),
    });
    await this.applyRows(window.rows, [write]);
  }

  private askRows(since: string | undefined, after: string | undefined, token: string | undefined): void {
    const query = {
      limit: ROWS,
      ...(since !== undefined && { since }),
      ...(after !== undefined && { after }),
    };
    this.engine.ask('window', query, {
      key: 'rows',
      answered: (answer) => this.onRows(since, token, answer),
    });
  }

  private async onRows(
    since: string | undefined,
    token: string | undefined,
    { ok: window, error }: Answer<ConversationWindow>,
  ): Promise<void> {
    if (window) {
      await this.applyWindow(window, since, token);
    } else if (since !== undefined && error.code === 'bad_request') {
      // The server does not know the token any more: begin like a new device.
      delete this.engine.progress.resume;
      this.askFirstWindow();
    } else {
      // Without these rows something could be missed: begin again from the last token.
      await this.engine.contact.lost({ why: 'closed' });
    }
  }

  /** Rows of a poll. A full answer may leave some out: then the whole list is read once. */
  async onPolledRows(rows: readonly Row[]): Promise<void> {
    await this.applyRows(rows);
    if (rows.length >= ROWS && !this.isPaging()) this.askRows(undefined, undefined, undefined);
  }

  /** Takes the server's word for rows; `writes` are committed with them. */
  async applyRows(rows: readonly Row[], writes: readonly Write[] = []): Promise<void> {
    const { engine } = this;
    const all = [...writes];
    const voided: [ConversationId, Held][] = [];
    const changed: ConversationId[] = [];
    // The own conversation is in no list of this server.
    for (const row of rows.filter((one) => one.kind !== 'self')) {
      const { conversation, epoch, head } = row;
      engine.people.meetRow(row);
      const before: Held = engine.held.get(conversation) ?? { state: unknown(epoch, head) };
      if (isDoubtful(before.state, epoch, head)) {
        engine.history.verify(conversation);
        continue;
      }
      const { state, isVoid } = heard(before.state, epoch, head);
      const held = withRow({ ...before, state }, row);
      if (isVoid) voided.push([conversation, held]);
      else all.push(engine.hold(conversation, held));
      if (!isVoid) changed.push(conversation);
    }
    await engine.write(all);
    for (const [conversation, held] of voided) await engine.history.void(conversation, held);
    changed.forEach((conversation) => {
      engine.outlet.row(conversation);
      engine.history.wantMissing(conversation);
    });
    if (changed.length > 0) this.prefetchLater();
  }

  /** Fetches what is unread and what was touched last, in the background. */
  private prefetchLater(): void {
    this.engine.timers.set('prefetch', PREFETCH_AFTER_MS, () => {
      const uncached = [...this.engine.held].filter(
        ([, { row, state }]) => row?.role && state.known.length === 0,
      );
      uncached.sort(([, one], [, other]) => (other.row?.at ?? 0) - (one.row?.at ?? 0));
      uncached.forEach(([conversation, { row }], index) => {
        if (index < MOST_PREFETCHED || (row?.unread ?? 0) > 0) this.engine.history.wantFill(conversation);
      });
    });
  }

  /** Asks for one conversation's row and members, unless that is under way. */
  refresh(conversation: ConversationId): void {
    if (!this.engine.requests.isAsking(`detail/${conversation}`)) this.askDetail(conversation);
  }

  /** As `refresh`, and waits for it. Not a step. */
  refreshed(conversation: ConversationId): Promise<void> {
    return new Promise((resolve, reject) => {
      this.engine.enqueue(
        () => this.askDetail(conversation, resolve, reject),
        () => reject(stopped()),
      );
    });
  }

  private askDetail(
    conversation: ConversationId,
    done?: () => void,
    failed?: (failure: Failure) => void,
  ): void {
    this.engine.ask(
      'conversation',
      { conversation },
      {
        key: `detail/${conversation}`,
        ...(failed && { abandoned: failed }),
        answered: async (answer) => {
          await this.onDetail(conversation, answer);
          if (answer.error) failed?.(Failure.of(answer.error));
          else done?.();
        },
      },
    );
  }

  private async onDetail(conversation: ConversationId, { ok: detail, error }: Answer<Detail>): Promise<void> {
    const { engine } = this;
    if (detail) {
      await this.applyRows([detail.row]);
      detail.members.forEach((member) => engine.people.meet(member.account));
      engine.presences.checkCrowd(conversation, detail.members);
      await this.keepDetail(conversation, detail);
    } else if (isNoMember(error)) {
      await this.left(conversation);
    } else if (error.retry_after_ms !== undefined) {
      const pause = Math.max(error.retry_after_ms, DETAIL_AGAIN_MS);
      engine.timers.set(`detail/${conversation}`, pause, () => this.refresh(conversation));
    }
  }

  /** A conversation's members and settings, as far as they are known. */
  async detail(conversation: ConversationId): Promise<Detail | undefined> {
    return this.details.get(conversation) ?? (await this.engine.store.detail(conversation));
  }

  /** Those of a conversation that somebody looks at. */
  atHand(conversation: ConversationId): Detail | undefined {
    return this.details.get(conversation);
  }

  /** Keeps details and tells pages. */
  async keepDetail(conversation: ConversationId, detail: Detail): Promise<void> {
    if (this.details.has(conversation)) this.details.set(conversation, detail);
    await this.engine.write([{ what: 'detail', conversation, detail }]);
    this.engine.outlet.details(conversation, detail);
    this.engine.outlet.event({ type: 'marks', conversation });
  }

  /** While somebody looks at a conversation, its details stay at hand. */
  async follow(conversation: ConversationId): Promise<void> {
    const detail = await this.detail(conversation);
    if (detail) this.details.set(conversation, detail);
    if (detail) this.engine.outlet.details(conversation, detail);
  }

  /** Nobody looks at a conversation any more. */
  unfollow(conversation: ConversationId): void {
    this.details.delete(conversation);
  }

  /** The account is no member any more; what it saw stays. */
  private async left(conversation: ConversationId): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (!held?.row?.role) return;
    const { role: _role, ...row } = held.row;
    await this.engine.write([this.engine.hold(conversation, { ...held, row })]);
    this.engine.presences.leaveCrowd(conversation);
    this.engine.outlet.row(conversation);
  }

  /** Whether the server has more of the list. */
  get hasMore(): boolean {
    return this.engine.progress.nextWindow !== undefined;
  }

  /** Asks for more of the list than was loaded; false at its end. Not a step: waits for the server. */
  more(): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.engine.enqueue(
        () => this.askMore(resolve, reject),
        () => reject(stopped()),
      );
    });
  }

  private askMore(done: (hasMore: boolean) => void, failed: (failure: Failure) => void): void {
    const after = this.engine.progress.nextWindow;
    if (after === undefined) {
      done(false);
      return;
    }
    this.engine.ask(
      'window',
      { after, limit: MORE_ROWS },
      {
        abandoned: failed,
        answered: async ({ ok: window, error }) => {
          if (!window) {
            failed(Failure.of(error));
            return;
          }
          delete this.engine.progress.nextWindow;
          const next = window.next === undefined ? {} : { nextWindow: window.next };
          await this.applyRows(window.rows, [this.engine.progressed(next)]);
          this.engine.outlet.flush();
          done(window.next !== undefined);
        },
      },
    );
  }
}

/** Replaces a row, but keeps what this device has read and not yet told. */
function withRow({ readWanted, ...held }: Held, row: Row): Held {
  if (readWanted === undefined || readWanted <= row.read) return { ...held, row };
  return { ...held, row: readLocally(row, readWanted), readWanted };
}
