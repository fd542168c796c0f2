/** Who is there and who types: what the server is asked, what it says, and what pages are told of it. */

import { Attendance, type Changed } from '../core/attendance.js';
import { OwnTyping, Typists, type Typist } from '../core/typing.js';
import type { ConversationPresence } from '../model.js';
import type {
  AccountId,
  ConversationId,
  Entry,
  Member,
  Opened,
  Presence,
  Presences as PresencesBody,
  TypingMember,
} from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer } from './requests.js';

/** The accounts on screen are gathered for so long. */
const GATHER_MS = 100;

/** What the server tells only when it is asked is asked for again after so long, while somebody is looking. */
const ASK_EVERY_MS = 30_000;

/** After this pause a list that the server could not take is told again. */
const WATCH_AGAIN_MS = 1_000;

/** The engine's view of who is there. */
export class Presences {
  private readonly attendance = new Attendance();
  private readonly typists = new Typists();
  private readonly ownTyping = new OwnTyping();
  private foreground = true;
  /** What the server was told of it last. */
  private foregroundTold = true;

  constructor(private readonly engine: Engine) {}

  /** How somebody stands. */
  of(account: AccountId): Presence {
    return this.attendance.of(account);
  }

  /** Who is there in a conversation. */
  in(conversation: ConversationId): ConversationPresence {
    const peer = this.engine.held.get(conversation)?.row?.peer;
    const online = this.attendance.online(conversation);
    return {
      ...(peer !== undefined && { peer: this.attendance.of(peer) }),
      ...(online !== undefined && { online }),
      typing: this.typists.of(conversation),
    };
  }

  /** Whether somebody looks, as a `hello` is about to tell. */
  startsForeground(): boolean {
    this.foregroundTold = this.foreground;
    return this.foreground;
  }

  /** These accounts are on screen; told in a moment, together with what else changes. */
  watch(accounts: readonly AccountId[]): void {
    this.attendance.want(accounts);
    this.engine.timers.set('watch', GATHER_MS, () => this.sendWatch());
  }

  /** Tells the server who is on screen, where it does not know. */
  sendWatch(): void {
    const { contact } = this.engine;
    const nobodyLooks = contact.polls && !this.foreground;
    if (!contact.line || nobodyLooks || !this.attendance.hasToTell()) return;
    const { accounts, changed } = this.attendance.tell();
    this.tell(changed);
    this.engine.ask('watch', { accounts }, { answered: (answer) => this.onWatched(answer) });
  }

  private onWatched({ ok, error }: Answer<PresencesBody>): void {
    let again: number | undefined;
    if (ok) {
      this.onPresence(ok.accounts);
      if (this.engine.contact.polls) again = ASK_EVERY_MS;
    } else if (error.retry_after_ms !== undefined) {
      again = Math.max(error.retry_after_ms, WATCH_AGAIN_MS);
    }
    if (again === undefined) return;
    this.attendance.tellAgain();
    this.engine.timers.set('watch', again, () => this.sendWatch());
  }

  /** The server says how accounts stand. */
  onPresence(presences: readonly Presence[]): void {
    this.tell(this.attendance.hear(presences));
  }

  /** Tells the server that a conversation is on screen. */
  askOpen(conversation: ConversationId): void {
    const key = `open/${conversation}`;
    if (this.engine.requests.isAsking(key)) return;
    const answered = (answer: Answer<Opened>): Promise<void> =>
      this.engine.marks.onOpened(conversation, answer);
    this.engine.ask('open', { conversation }, { key, answered });
  }

  /** The server says who is in an open conversation. */
  onCrowd(conversation: ConversationId, opened: Opened): void {
    if (!this.engine.marks.isOnScreen(conversation)) return;
    this.tell(this.attendance.enter(conversation, this.engine.me, opened));
    if (this.isAskedFor(conversation)) this.askLater(conversation);
  }

  /** Members came or went: the server is asked again who is there. */
  checkCrowd(conversation: ConversationId, members: readonly Member[]): void {
    const others = members.map((member) => member.account).filter((account) => account !== this.engine.me);
    if (this.attendance.isOutdated(conversation, new Set(others))) this.askOpen(conversation);
  }

  /** Nothing more is heard of who is there in a conversation. */
  leaveCrowd(conversation: ConversationId): void {
    this.engine.timers.clear(`crowd/${conversation}`);
    this.tell(this.attendance.leave(conversation));
    this.announceStopped(this.typists.leave(conversation));
  }

  /** The line is gone, and with it all that was known. */
  forget(): void {
    this.ownTyping.lose();
    this.tell(this.attendance.lose());
    this.announceStopped(this.typists.leave());
  }

  /** Somebody looks, or stopped looking. */
  setForeground(foreground: boolean): void {
    if (this.foreground === foreground) return;
    this.foreground = foreground;
    this.tellForeground();
    if (!foreground) return;
    this.engine.timers.set('watch', GATHER_MS, () => this.sendWatch());
    this.engine.marks.eachOnScreen((conversation) => {
      if (!this.engine.timers.isSet(`crowd/${conversation}`)) this.refresh(conversation);
    });
  }

  /** Tells the server whether somebody looks, where it does not know. Polling has nothing that could be told. */
  tellForeground(): void {
    const { foreground, engine } = this;
    if (!engine.contact.line || engine.contact.polls || this.foregroundTold === foreground) return;
    this.foregroundTold = foreground;
    engine.ask('foreground', { foreground }, { answered: () => undefined });
  }

  /** Others type or stopped. */
  onTyping({ conversation, account, typing }: TypingMember): void {
    if (account === this.engine.me) return;
    const isNews = this.typists.note(conversation, account, typing, this.engine.now());
    this.waitForTypists();
    if (isNews) this.announceTyping(conversation, account, typing);
  }

  /** Whoever has said something does not type it any more. */
  stopTyping(conversation: ConversationId, entries: readonly Entry[]): void {
    for (const { kind, author } of entries) {
      if (kind === 'message') this.onTyping({ conversation, account: author, typing: false });
    }
  }

  /** The account types or stopped; the others are told at most once a second. */
  tellTyping(conversation: ConversationId, typing: boolean): void {
    if (!this.engine.contact.line) return;
    if (!this.ownTyping.isToTell(conversation, typing, this.engine.now())) return;
    this.engine.ask('typing', { conversation, typing }, { answered: () => undefined });
  }

  /** The account has said something, and types it no more. */
  endOwnTyping(conversation: ConversationId): void {
    this.ownTyping.sent(conversation);
  }

  /** Asks again who is there, while somebody is looking; afterwards whoever comes back asks. */
  private refresh(conversation: ConversationId): void {
    if (this.foreground && this.isAskedFor(conversation)) this.askOpen(conversation);
  }

  private askLater(conversation: ConversationId): void {
    this.engine.timers.set(`crowd/${conversation}`, ASK_EVERY_MS, () => this.refresh(conversation));
  }

  /** Whether the server tells who is in this open conversation only when it is asked. */
  private isAskedFor(conversation: ConversationId): boolean {
    const { attendance, engine } = this;
    return attendance.isCounted(conversation) || (engine.contact.polls && attendance.isOpen(conversation));
  }

  /** Whoever was not heard of for a while types no more. */
  private expireTypists(): void {
    this.announceStopped(this.typists.expire(this.engine.now()));
    this.waitForTypists();
  }

  private announceStopped(gone: readonly Typist[]): void {
    gone.forEach(({ conversation, account }) => this.announceTyping(conversation, account, false));
  }

  private announceTyping(conversation: ConversationId, account: AccountId, typing: boolean): void {
    this.engine.outlet.event({ type: 'typing', conversation, account, typing });
    this.engine.outlet.place(conversation);
  }

  private waitForTypists(): void {
    const at = this.typists.nextExpiry();
    if (at === undefined) return;
    this.engine.timers.set('typing', Math.max(0, at - this.engine.now()), () => this.expireTypists());
  }

  /** Tells pages what is another than before. */
  private tell({ accounts, conversations }: Changed): void {
    const { outlet, held, marks } = this.engine;
    if (accounts.size > 0) {
      outlet.presences(accounts);
      outlet.event({ type: 'presence', accounts: [...accounts] });
      marks.eachOnScreen((conversation) => {
        const peer = held.get(conversation)?.row?.peer;
        if (peer !== undefined && accounts.has(peer)) outlet.place(conversation);
      });
    }
    for (const conversation of conversations) {
      outlet.place(conversation);
      outlet.event({ type: 'online', conversation });
    }
  }
}
