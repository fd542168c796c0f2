/** Watermarks: how far this device has received and the account has read, and how far the others are. */

import { heard, isDoubtful } from '../core/conversation.js';
import { readLocally } from '../core/sync.js';
import type { ConversationId, Marked, Marks as MarksEvent, Opened, ReadMark } from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer } from './requests.js';

/** Receipts are gathered for so long. */
const GATHER_MS = 300;

/** After this pause a read mark that could not be told is told again. */
const READ_AGAIN_MS = 1_000;

/** How many conversations may be on screen at a time. */
const MOST_OPEN = 8;

/** The engine's watermarks. */
export class Marks {
  /** Conversations on screen, the one opened last at the end. */
  private onScreen: ConversationId[] = [];
  /** How far conversations were received, to be told to the server. */
  private delivered = new Map<ConversationId, number>();

  constructor(private readonly engine: Engine) {}

  isOnScreen(conversation: ConversationId): boolean {
    return this.onScreen.includes(conversation);
  }

  /** The conversation opened last: polls follow one. */
  newestOnScreen(): ConversationId | undefined {
    return this.onScreen.at(-1);
  }

  /** Everything on screen. */
  eachOnScreen(act: (conversation: ConversationId) => void): void {
    this.onScreen.forEach(act);
  }

  /** A conversation came on screen. */
  open(conversation: ConversationId): void {
    this.onScreen = [...this.onScreen.filter((one) => one !== conversation), conversation];
    // The one opened first gives way.
    const givenUp = this.onScreen.slice(0, Math.max(0, this.onScreen.length - MOST_OPEN));
    givenUp.forEach((one) => this.close(one));
    this.engine.contact.line?.look(conversation);
    this.engine.presences.askOpen(conversation);
    this.engine.list.refresh(conversation);
    this.engine.history.wantMissing(conversation);
  }

  /** A conversation left the screen. */
  close(conversation: ConversationId): void {
    if (!this.isOnScreen(conversation)) return;
    this.onScreen = this.onScreen.filter((one) => one !== conversation);
    this.engine.contact.line?.look(this.newestOnScreen());
    this.engine.presences.tellTyping(conversation, false);
    this.engine.ask('close', { conversation }, { answered: () => undefined });
    this.engine.presences.leaveCrowd(conversation);
  }

  /** A new line knows of nothing on screen. */
  askOpenAgain(): void {
    this.onScreen.forEach((conversation) => this.engine.presences.askOpen(conversation));
  }

  async onOpened(conversation: ConversationId, { ok: opened }: Answer<Opened>): Promise<void> {
    if (!opened) return;
    this.engine.presences.onCrowd(conversation, opened);
    await this.hearHead(conversation, opened.epoch, opened.head);
    const detail = await this.engine.list.detail(conversation);
    if (detail) await this.engine.list.keepDetail(conversation, { ...detail, members: opened.members });
  }

  /** The host told the head of a conversation. */
  private async hearHead(conversation: ConversationId, epoch: number, head: number): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (!held) return;
    if (isDoubtful(held.state, epoch, head)) {
      this.engine.history.verify(conversation);
      return;
    }
    const { state, isVoid } = heard(held.state, epoch, head);
    if (isVoid) {
      await this.engine.history.void(conversation, { ...held, state });
      return;
    }
    await this.engine.write([this.engine.hold(conversation, { ...held, state })]);
    this.engine.history.wantMissing(conversation);
  }

  async onMarks({ conversation, marks }: MarksEvent): Promise<void> {
    const detail = await this.engine.list.detail(conversation);
    if (!detail) {
      this.engine.list.refresh(conversation);
      return;
    }
    const moved = new Map(marks.map((mark) => [mark.account, mark]));
    const members = detail.members.map((member) => {
      const mark = moved.get(member.account);
      if (!mark) return member;
      const { delivered, read } = mark;
      return {
        ...member,
        delivered: Math.max(member.delivered, delivered),
        read: Math.max(member.read, read),
      };
    });
    await this.engine.list.keepDetail(conversation, { ...detail, members });
  }

  /** The account read on some device. */
  async onRead({ conversation, read, unread, mentions }: ReadMark): Promise<void> {
    await this.applyMarked(conversation, { read, unread, mentions });
  }

  /** The app has shown everything up to `seq`. */
  async markRead(conversation: ConversationId, seq: number): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (!held?.row || held.row.read >= seq) return;
    const row = readLocally(held.row, seq);
    const readWanted = Math.max(held.readWanted ?? 0, Math.min(seq, row.head));
    await this.engine.write([this.engine.hold(conversation, { ...held, row, readWanted })]);
    this.engine.outlet.row(conversation);
    this.sendRead(conversation);
  }

  /** Tells every read mark that the server does not know yet. */
  sendReads(): void {
    for (const [conversation, held] of this.engine.held) {
      if (held.readWanted !== undefined) this.sendRead(conversation);
    }
  }

  private sendRead(conversation: ConversationId): void {
    const read = this.engine.held.get(conversation)?.readWanted;
    if (read === undefined || this.engine.requests.isAsking(`read/${conversation}/${String(read)}/`)) return;
    this.engine.ask(
      'mark',
      { conversation, read },
      {
        key: `read/${conversation}/${String(read)}/`,
        answered: (answer) => this.onMarked(conversation, read, answer),
      },
    );
  }

  private async onMarked(
    conversation: ConversationId,
    seq: number,
    { ok: marked, error }: Answer<Marked>,
  ): Promise<void> {
    if (marked) {
      await this.applyMarked(conversation, marked);
    } else if (error.retry_after_ms !== undefined) {
      const pause = Math.max(error.retry_after_ms, READ_AGAIN_MS);
      this.engine.timers.set('reads', pause, () => this.sendReads());
    } else {
      await this.forgetRead(conversation, seq);
    }
  }

  private async applyMarked(conversation: ConversationId, { read, unread, mentions }: Marked): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (!held?.row || held.row.read > read) return;
    const { readWanted, ...rest } = held;
    const isStillWanted = readWanted !== undefined && readWanted > read;
    const row = { ...held.row, read, unread, mentions };
    const write = this.engine.hold(conversation, { ...rest, row, ...(isStillWanted && { readWanted }) });
    await this.engine.write([write]);
    this.engine.outlet.row(conversation);
  }

  private async forgetRead(conversation: ConversationId, seq: number): Promise<void> {
    const held = this.engine.held.get(conversation);
    if (held?.readWanted === undefined || held.readWanted > seq) return;
    const { readWanted: _readWanted, ...rest } = held;
    await this.engine.write([this.engine.hold(conversation, rest)]);
  }

  /** Everything up to `seq` is stored on this device; told in a moment, together with what else comes. */
  wasDelivered(conversation: ConversationId, seq: number): void {
    this.delivered.set(conversation, Math.max(seq, this.delivered.get(conversation) ?? 0));
    this.engine.timers.set('delivered', GATHER_MS, () => this.sendDelivered());
  }

  sendDelivered(): void {
    if (!this.engine.contact.line) return;
    const { delivered } = this;
    this.delivered = new Map();
    for (const [conversation, seq] of delivered) {
      this.engine.ask(
        'mark',
        { conversation, delivered: seq },
        {
          answered: () => undefined,
          abandoned: () => this.wasDelivered(conversation, seq),
        },
      );
    }
  }
}
