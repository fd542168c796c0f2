/**
 * One tab owns the engine for all: whoever holds the Web Lock. The others reach it by `BroadcastChannel`; when it
 * closes, the next one in line takes over, and everybody asks it again.
 *
 * A leader that freezes loses the lock by force. When it wakes up, what it says is of an earlier term than its
 * successor's, and nobody listens.
 */

import { placeOf, type Opening } from '../engine/opening.js';
import { stopped } from '../errors.js';
import type { Platform } from '../platform.js';
import type { Asking } from './asking.js';
import { hold, mourn, type Hold } from './life.js';
import { VERSION, type FromOwner, type FromPage, type Way } from './messages.js';
import { Owner } from './owner.js';
import { pair } from './pair.js';

/** A leader that does not even hear a call for so long, in milliseconds, is frozen or of another version. */
const DEAF_AFTER_MS = 4_000;

/**
 * What goes over the channel: to a page, to the leader, or from a leader that begins to everybody. Terms tell leaders
 * apart, later ones are higher; a page that knows none yet says 0.
 */
type Cast =
  | { to: 'owner'; from: string; term: number; message: FromPage }
  | { to: 'page'; page: string; term: number; message: FromOwner }
  | { to: 'all'; term: number };

/** One page in the election. */
export class Election {
  private readonly channel: BroadcastChannel;
  private readonly name: string;
  private owner: Owner | undefined;
  private held: Hold | undefined;
  /** Followers' ways, where this page leads. */
  private readonly followers = new Map<string, Way<FromOwner, FromPage>>();
  /** The way to the leader, where this page follows. */
  private leader: Way<FromPage, FromOwner> | undefined;
  /** The present leader's term, also where it is this page. */
  private term = 0;
  /** Gives up the wait for a sign of the leader; absent while nothing is asked of it. */
  private stopListening: (() => void) | undefined;
  /** Whether the lock was taken by force, and no leader of this version has spoken since. */
  private isOusted = false;
  private isInLine = false;
  private isClosed = false;

  constructor(
    private readonly platform: Platform,
    opening: Opening,
    private readonly page: string,
    private readonly asking: Asking,
  ) {
    this.name = placeOf(opening);
    this.channel = new BroadcastChannel(`${this.name} ${String(VERSION)}`);
    this.channel.onmessage = ({ data }: MessageEvent<Cast>) => this.hear(data);
    void this.queue();
    this.follow();
  }

  /** The page goes: another one leads. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.trust();
    this.channel.close();
    void this.retire().finally(() => this.held?.release());
  }

  /** Waits for its turn to lead, once at a time. */
  private async queue(): Promise<void> {
    if (this.isInLine) return;
    this.isInLine = true;
    const held = await hold(this.name);
    this.isInLine = false;
    await this.take(held);
  }

  /** Leads as long as it has the lock. */
  private async take(held: Hold): Promise<void> {
    if (this.isClosed || this.owner) {
      held.release();
      return;
    }
    this.held = held;
    this.lead();
    await held.lost;
    if (this.held === held) this.stepDown();
  }

  /** This page owns the engine from now on. */
  private lead(): void {
    this.trust();
    this.term = Math.max(this.platform.now(), this.term + 1);
    // What was on its way when this page lost the lock must open no engine without it.
    const claim = (): Promise<void> => (this.owner === owner ? Promise.resolve() : Promise.reject(stopped()));
    const owner = new Owner(this.platform, mourn, { claim });
    this.owner = owner;
    const [mine, owners] = pair();
    owner.serve(owners);
    this.asking.attach(mine);
    this.cast({ to: 'all', term: this.term });
  }

  /** Another tab took the engine by force. */
  private stepDown(): void {
    if (this.isClosed) return;
    this.held = undefined;
    void this.retire();
    this.isOusted = true;
    void this.queue();
    this.follow();
  }

  /** Owns the engine no more; followers hear of it from the next leader, and ask that one again. */
  private async retire(): Promise<void> {
    const { owner } = this;
    this.owner = undefined;
    this.followers.clear();
    await owner?.retire();
  }

  /** Asks the leader, if there is one. */
  private follow(): void {
    if (this.owner || this.isClosed) return;
    this.trust();
    const way: Way<FromPage, FromOwner> = {
      send: (message) => this.say(message),
      onmessage: () => undefined,
      close: () => undefined,
    };
    this.leader = way;
    this.asking.attach(way);
  }

  /** Tells the leader, and expects a sign of it where there is one to come. */
  private say(message: FromPage): void {
    this.cast({ to: 'owner', from: this.page, term: this.term, message });
    if (message.say !== 'open' && message.say !== 'call') return;
    this.stopListening ??= this.platform.later(DEAF_AFTER_MS, () => this.replace());
  }

  /** The leader lives. */
  private trust(): void {
    this.stopListening?.();
    this.stopListening = undefined;
  }

  /** The leader gave no sign: takes its place, unless this would only go to and fro with a page of another version. */
  private replace(): void {
    this.stopListening = undefined;
    if (this.isOusted) {
      const connection = { state: 'stopped', reason: 'replaced' } as const;
      this.leader?.onmessage({ say: 'delta', delta: { connection } });
    } else {
      void hold(this.name, true).then((held) => this.take(held));
    }
  }

  private hear(cast: Cast): void {
    if (this.isClosed) return;
    if (cast.to === 'all') {
      this.term = cast.term;
      // Only who has the lock begins, so this page has lost it even if it has not heard so.
      if (this.owner) this.stepDown();
      else this.follow();
    } else if (cast.to === 'owner') {
      this.hearFollower(cast);
    } else if (cast.page === this.page && !this.owner && cast.term >= this.term) {
      this.term = cast.term;
      this.isOusted = false;
      this.trust();
      this.leader?.onmessage(cast.message);
    }
  }

  private hearFollower({ from, term, message }: Extract<Cast, { to: 'owner' }>): void {
    const { owner } = this;
    // What another leader was asked is for its successor, whom the page will ask again.
    if (!owner || (term !== 0 && term !== this.term)) return;
    if (message.say === 'open' && !this.followers.has(from)) this.serve(owner, from);
    const follower = this.followers.get(from);
    if (message.say === 'call') follower?.send({ say: 'heard' });
    follower?.onmessage(message);
  }

  private serve(owner: Owner, page: string): void {
    const { term } = this;
    const way: Way<FromOwner, FromPage> = {
      send: (message) => {
        const isServed = this.followers.get(page) === way;
        if (isServed) this.cast({ to: 'page', page, term, message });
      },
      onmessage: () => undefined,
      close: () => this.followers.delete(page),
    };
    this.followers.set(page, way);
    owner.serve(way);
  }

  private cast(cast: Cast): void {
    if (!this.isClosed) this.channel.postMessage(cast);
  }
}
