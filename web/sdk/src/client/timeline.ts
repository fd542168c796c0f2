/** A window on a conversation's messages that follows changes and grows at both ends. */

import type { Timeline } from '../api.js';
import type { Anchor } from '../core/stretch.js';
import type { Calls } from '../engine/desk.js';
import type { MessagesDelta, Reading } from '../engine/delta.js';
import type { Message, TimelineView } from '../model.js';
import type { ConversationId } from '../wire.js';
import { ignore } from './ignore.js';
import { Cell } from './live.js';
import type { Follower, Mirror } from './mirror.js';

/** How many messages a page of the window holds, unless the app says otherwise. */
const PAGE_SIZE = 60;

/** How many messages the window holds at most; beyond, what lies far behind the other end is let go. */
const MOST_HELD = 600;

/** How many are left after letting go. */
const LEFT = 400;

const EMPTY: TimelineView = { messages: [], hasEarlier: false, hasLater: false, loading: true };

/** A stretch of messages without holes. */
interface Held {
  messages: readonly Message[];
  /** The stretch of sequences that they cover. */
  from: number;
  to: number;
  hasEarlier: boolean;
  hasLater: boolean;
}

/** One timeline of one page. */
export class OpenTimeline implements Timeline, Follower {
  private readonly cell: Cell<TimelineView>;
  private held: Held = { messages: [], from: 1, to: 0, hasEarlier: false, hasLater: false };
  private unsent: readonly Message[] = [];
  /** Newer messages came than could be put in without a hole. */
  private isBehind = false;
  /** Whether anything was read yet. */
  private isRead = false;
  /** What is to be shown, as long as nothing is. */
  private anchor: Anchor;
  /** Readings overtaken by a jump are ignored. */
  private reading = 0;
  /** How many readings are under way, and what was told meanwhile: it may be newer than they are. */
  private underWay = 0;
  private told: MessagesDelta[] = [];
  private under: Promise<boolean> | undefined;
  /** What is being read; undefined at the newest. */
  private place: number | undefined;
  private isClosed = false;
  private readonly stopWaiting: () => void;

  constructor(
    readonly conversation: ConversationId,
    private readonly calls: Calls,
    private readonly mirror: Mirror,
    around: number | undefined,
    private readonly pageSize = PAGE_SIZE,
  ) {
    this.cell = new Cell(EMPTY);
    mirror.followers.add(this);
    calls.show(conversation).catch(ignore);
    this.anchor = around === undefined ? { at: 'newest' } : { at: 'around', seq: around };
    this.begin().catch(ignore);
    // Told at once where it is online, when the first page is under way.
    this.stopWaiting = mirror.connection.subscribe(({ state }) => {
      if (state === 'online') this.lookAgain();
    });
  }

  get value(): TimelineView {
    return this.cell.value;
  }

  subscribe(listener: (view: TimelineView) => void): () => void {
    return this.cell.subscribe(listener);
  }

  [Symbol.asyncIterator](): AsyncIterator<TimelineView> {
    return this.cell[Symbol.asyncIterator]();
  }

  loadEarlier(): Promise<boolean> {
    const seq = this.held.from;
    if (!this.held.hasEarlier || this.held.to < seq) return Promise.resolve(false);
    return this.alone(async () => {
      const isMore = await this.read({ at: 'before', seq }, (page) => {
        // What came meanwhile may have moved the start: the page does not join it any more.
        if (seq !== this.held.from) return this.held.hasEarlier;
        const messages = [...page.messages, ...this.held.messages];
        const from = Math.min(page.from, this.held.from);
        this.settle(page, shortened({ ...this.held, messages, from, hasEarlier: page.hasEarlier }, 'end'));
        return page.messages.length > 0;
      });
      return isMore ?? false;
    });
  }

  loadLater(): Promise<boolean> {
    if (!this.held.hasLater && !this.isBehind) return Promise.resolve(false);
    return this.alone(() => this.append());
  }

  async jumpTo(seq: number): Promise<void> {
    await this.replace({ at: 'around', seq });
  }

  async jumpToNewest(): Promise<void> {
    await this.replace({ at: 'newest' });
  }

  keep(seq?: number): void {
    this.place = seq;
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.reading += 1;
    this.stopWaiting();
    this.mirror.followers.delete(this);
    this.calls.hide(this.conversation).catch(ignore);
  }

  /** The engine tells what changed. */
  apply(delta: MessagesDelta): void {
    if (delta.reload) {
      this.again();
      return;
    }
    if (this.underWay > 0) this.told.push(delta);
    else if (!this.isRead) this.again();
    if (!this.isRead) return;
    this.take(delta);
    this.show();
  }

  /** Another engine: shows the conversation there, and reads again. */
  showAgain(): void {
    this.calls.show(this.conversation).catch(ignore);
    this.again();
  }

  /** Changes were missed: reads again what is shown. */
  again(): void {
    const { messages, hasLater } = this.held;
    if (this.isEmpty()) {
      this.replace(this.anchor).catch(ignore);
      return;
    }
    const seq = this.place ?? (hasLater ? messages[Math.floor(messages.length / 2)]?.seq : undefined);
    this.readAgain(seq).catch(ignore);
  }

  private async readAgain(seq: number | undefined): Promise<void> {
    if (seq !== undefined) {
      const isThere = await this.replace({ at: 'around', seq });
      // Another history may be shorter than the place.
      if (isThere !== false) return;
    }
    await this.replace({ at: 'newest' });
  }

  /** Without a connection the place may lack while the newest are cached: better those than nothing. */
  private async begin(): Promise<void> {
    const { anchor } = this;
    const isThere = await this.replace(anchor);
    if (isThere !== false || anchor.at !== 'around') return;
    if ((await this.replace({ at: 'newest' })) === false) this.anchor = anchor;
  }

  /** What could not be read before may be there now. */
  private lookAgain(): void {
    if (this.isEmpty() && this.underWay === 0) this.again();
  }

  private isEmpty(): boolean {
    return !this.isRead || this.held.messages.length === 0;
  }

  private take(delta: MessagesDelta): void {
    if (delta.unsent) this.unsent = delta.unsent;
    this.change(delta.changed);
    if (!this.held.hasLater || this.isEmpty()) this.grow(delta);
  }

  /** Puts a reading in: what was told after it counts more. */
  private settle({ moment, unsent }: Reading, held: Held): void {
    this.held = held;
    this.unsent = unsent;
    this.isRead = true;
    this.told.filter((delta) => delta.moment > moment).forEach((delta) => this.take(delta));
  }

  /** Puts changed messages in the place of what they were. */
  private change(changed: readonly Message[]): void {
    const news = new Map(changed.map((message) => [message.seq, message]));
    const isThere = this.held.messages.some((message) => news.has(message.seq));
    if (!isThere) return;
    this.held = {
      ...this.held,
      messages: this.held.messages.map((message) => news.get(message.seq) ?? message),
    };
  }

  /** Adds what is newer than everything shown, as long as there is no hole. */
  private grow({ changed, tail }: MessagesDelta): void {
    if (!tail || tail[1] <= this.held.to) return;
    if (this.isEmpty()) {
      // Nothing that could be joined to: what is there now may begin anywhere.
      this.isBehind = true;
      this.lookAgain();
      return;
    }
    const isJoined = tail[0] <= this.held.to + 1;
    if (!isJoined) {
      this.isBehind = true;
      return;
    }
    if (this.isBehind) {
      this.catchUp().catch(ignore);
      return;
    }
    const fresh = changed.filter((message) => (message.seq ?? 0) > this.held.to);
    const messages = [...this.held.messages, ...fresh];
    this.held = shortened({ ...this.held, messages, to: tail[1] }, 'start');
  }

  /** Reads what the hole lacks, after whatever is being read now. */
  private async catchUp(): Promise<void> {
    await this.under?.catch(ignore);
    if (this.isBehind) await this.loadLater();
  }

  /** Reads on after the end; whether there was anything. Until that is there, what is newer must not be put behind it. */
  private async append(): Promise<boolean> {
    const seq = this.held.to;
    const isMore = await this.read({ at: 'after', seq }, (page) => {
      if (seq !== this.held.to) return false;
      // Not earlier: what is told before the page is there would be joined over the hole that the page fills.
      this.isBehind = false;
      const messages = [...this.held.messages, ...page.messages];
      const to = Math.max(page.to, seq);
      this.settle(page, shortened({ ...this.held, messages, to, hasLater: page.hasLater }, 'start'));
      return page.messages.length > 0;
    });
    return isMore ?? false;
  }

  /** Shows something else; whether there was anything, undefined where another jump came first. */
  private async replace(anchor: Anchor): Promise<boolean | undefined> {
    this.reading += 1;
    this.anchor = anchor;
    this.under = undefined;
    const mine = this.reading;
    this.show(true);
    try {
      return await this.read(anchor, (page) => {
        this.isBehind = false;
        const { from, to, hasEarlier } = page;
        const hasLater = anchor.at === 'newest' ? false : page.hasLater;
        const messages = sameWhereEqual(this.held.messages, page.messages);
        this.settle(page, { messages, from, to, hasEarlier, hasLater });
        return messages.length > 0;
      });
    } finally {
      if (mine === this.reading) this.show(false);
      if (mine === this.reading && this.isBehind) this.lookAgain();
    }
  }

  /** Uses one page, unless it was overtaken by a jump. */
  private async read<T>(anchor: Anchor, use: (page: Reading) => T): Promise<T | undefined> {
    const mine = this.reading;
    this.underWay += 1;
    try {
      const page = await this.calls.read(this.conversation, anchor, this.pageSize);
      return mine === this.reading ? use(page) : undefined;
    } finally {
      this.underWay -= 1;
      if (this.underWay === 0) this.told = [];
    }
  }

  /** One page at a time: whoever asks for another meanwhile gets the same. */
  private alone(load: () => Promise<boolean>): Promise<boolean> {
    if (this.under) return this.under;
    const mine = load().finally(() => {
      if (this.under === mine) this.under = undefined;
      this.show();
    });
    // What was told meanwhile could not ask for a page of its own.
    const readOn = (): void => void (this.isBehind && !this.held.hasLater && this.loadLater().catch(ignore));
    mine.then(readOn, ignore);
    this.under = mine;
    this.show();
    return mine;
  }

  private show(loading = this.under !== undefined): void {
    if (this.isClosed) return;
    const { messages, hasEarlier, hasLater } = this.held;
    const all = hasLater || this.unsent.length === 0 ? messages : [...messages, ...this.unsent];
    const before = this.cell.value;
    const isSame =
      before.hasEarlier === hasEarlier &&
      before.hasLater === hasLater &&
      before.loading === loading &&
      before.messages.length === all.length &&
      before.messages.every((message, index) => message === all[index]);
    if (!isSame) this.cell.set({ messages: all, hasEarlier, hasLater, loading });
  }
}

/** Lets go of what lies far behind, at the start or the end. */
function shortened(held: Held, where: 'start' | 'end'): Held {
  if (held.messages.length <= MOST_HELD) return held;
  if (where === 'start') {
    const messages = held.messages.slice(-LEFT);
    return { ...held, messages, from: messages[0]?.seq ?? held.from, hasEarlier: true };
  }
  const messages = held.messages.slice(0, LEFT);
  return { ...held, messages, to: messages.at(-1)?.seq ?? held.to, hasLater: true };
}

/** Keeps the objects of messages that are as they were, so that `===` tells what changed. */
function sameWhereEqual(before: readonly Message[], after: readonly Message[]): readonly Message[] {
  const known = new Map(before.map((message) => [message.seq, message]));
  return after.map((message) => {
    const same = known.get(message.seq);
    return same && JSON.stringify(same) === JSON.stringify(message) ? same : message;
  });
}
