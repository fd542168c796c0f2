/**
 * One tab owns the engine for all: whoever holds the Web Lock. The others reach it by `BroadcastChannel`; when it
 * closes, the next one in line takes over, and everybody asks it again.
 */

import { placeOf, type Opening } from '../engine/opening.js';
import type { Platform } from '../platform.js';
import type { Asking } from './asking.js';
import { hold, mourn, type Hold } from './life.js';
import { VERSION, type FromOwner, type FromPage, type Way } from './messages.js';
import { Owner } from './owner.js';
import { pair } from './pair.js';

/** A leader that does not even hear a page for so long, in milliseconds, is frozen or of another version. */
const DEAF_AFTER_MS = 4_000;

/** What goes over the channel: to a page, to the leader, or from a leader that begins to everybody. */
type Cast =
  | { to: 'owner'; from: string; message: FromPage }
  | { to: 'page'; page: string; message: FromOwner }
  | { to: 'all' };

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
  private stopListening: () => void = () => undefined;
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
    void this.wait(false);
    this.follow();
  }

  /** The page goes: another one leads. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.stopListening();
    const retired = this.owner?.retire() ?? Promise.resolve();
    void retired.then(() => {
      this.held?.release();
      this.channel.close();
    });
  }

  private async wait(byForce: boolean): Promise<void> {
    const held = await hold(this.name, byForce);
    if (this.isClosed || this.owner) {
      held.release();
      return;
    }
    this.held = held;
    this.lead();
    await held.lost;
    this.stepDown();
  }

  /** This page owns the engine from now on. */
  private lead(): void {
    this.stopListening();
    this.owner = new Owner(this.platform, mourn);
    const [mine, owners] = pair();
    this.owner.serve(owners);
    this.asking.attach(mine);
    this.cast({ to: 'all' });
  }

  /** Another tab took the engine by force. */
  private stepDown(): void {
    void this.owner?.retire();
    this.owner = undefined;
    this.followers.clear();
    if (this.isClosed) return;
    void this.wait(false);
    this.follow();
  }

  /** Asks the leader, if there is one. */
  private follow(): void {
    if (this.owner || this.isClosed) return;
    const way: Way<FromPage, FromOwner> = {
      send: (message) => this.cast({ to: 'owner', from: this.page, message }),
      onmessage: () => undefined,
      close: () => undefined,
    };
    this.leader = way;
    this.asking.attach(way);
    this.stopListening();
    this.stopListening = this.platform.later(DEAF_AFTER_MS, () => void this.wait(true));
  }

  private hear(cast: Cast): void {
    if (cast.to === 'all') {
      this.follow();
    } else if (cast.to === 'owner') {
      this.hearFollower(cast.from, cast.message);
    } else if (cast.page === this.page && !this.owner) {
      this.stopListening();
      this.leader?.onmessage(cast.message);
    }
  }

  private hearFollower(from: string, message: FromPage): void {
    if (!this.owner) return;
    if (message.say === 'open' && !this.followers.has(from)) {
      const way: Way<FromOwner, FromPage> = {
        send: (answer) => this.cast({ to: 'page', page: from, message: answer }),
        onmessage: () => undefined,
        close: () => this.followers.delete(from),
      };
      this.followers.set(from, way);
      this.owner.serve(way);
    }
    this.followers.get(from)?.onmessage(message);
  }

  private cast(cast: Cast): void {
    this.channel.postMessage(cast);
  }
}
