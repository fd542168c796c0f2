/** Getting a line, greeting, losing it, and everything that a new line makes possible. */

import { Reconnect, type Loss, type Next } from '../core/reconnect.js';
import { Failure } from '../errors.js';
import type { ConnectionState } from '../model.js';
import { lossOf, type Line, type Listener } from '../transport/line.js';
import type { openPolling } from '../transport/polling.js';
import { openSocket } from '../transport/websocket.js';
import {
  protocol,
  type AccountId,
  type Gateways,
  type Hello,
  type OwnAccount,
  type Welcome,
} from '../wire.js';
import type { Engine, Renewed } from './engine.js';
import type { Answer } from './requests.js';

/** While polling, a WebSocket is tried again after so long. */
const SOCKET_AGAIN_MS = 180_000;

/** A busy session asks for a new resume token this often. */
const TOKEN_EVERY_MS = 60_000;

/** While polling, the own conversation is asked for this often. */
const OWN_EVERY_MS = 10_000;

/** How many rows the first window should hold: what fills a tall screen, and little enough to come at once. */
const WINDOW = 40;

/** How long asking for gateways may take. */
const GATEWAYS_WITHIN_MS = 5_000;

/** How long a line may be silent after somebody came back to the page. */
const PROBE_WITHIN_MS = 5_000;

/** A proof that could not be renewed is tried again after so long. */
const RENEW_AGAIN_MS = 5_000;

/** How the engine stands with the server. */
export class Contact {
  /** The line in use. */
  line: Line | undefined;
  /** Whether anything came since the last resume token. */
  isStirred = false;
  /** Whether a log-out is under way: a login that ends now is not to be renewed. */
  isLeaving = false;
  state: ConnectionState = { state: 'offline' };

  private isWanted = false;
  /** A WebSocket that is being tried; a line that polls stays until it succeeds. */
  private trying: Line | undefined;
  private isChecking = false;
  private isRenewing = false;
  private readonly reconnect = new Reconnect();
  private gateways: string[] = [];
  private tries = 0;
  /** A polling cursor that counts once all rows are applied. */
  private nextCursor: string | undefined;

  constructor(private readonly engine: Engine) {}

  /** Whether the line polls: then replies tell how things stand, and nothing follows. */
  get polls(): boolean {
    return this.line?.polling ?? false;
  }

  /** Gets and keeps a line. */
  connect(): void {
    this.isWanted = true;
    if (!this.line) this.trySocket();
  }

  /** Gives the line up; a reason that was told already stays. */
  disconnect(): void {
    this.isWanted = false;
    this.loseLine();
    const isOver = this.state.state === 'logged_out' || this.state.state === 'stopped';
    if (!isOver) this.announce({ state: 'offline' });
  }

  /** The account leaves this device. */
  logOut(): void {
    this.isWanted = false;
    this.loseLine();
    this.announce({ state: 'logged_out' });
  }

  /** Ends all tries, and says why. */
  stop(reason: string): void {
    this.isWanted = false;
    try {
      this.loseLine();
    } finally {
      this.announce({ state: 'stopped', reason });
    }
  }

  /** What proves who this is proves another account by now: whoever opens a client next begins anew. */
  async meetAnother(): Promise<void> {
    await this.engine.doubt();
    this.stop('another_account');
  }

  /** The network or somebody came back: finds out at once how the line is. */
  hurry(): void {
    if (this.line) {
      this.line.probe(PROBE_WITHIN_MS);
    } else if (this.isWanted && !this.isTrying()) {
      this.reconnect.encourage();
      this.engine.timers.clear('connect');
      this.trySocket();
    }
  }

  /** A line was lost. */
  lost(loss: Loss): void | Promise<void> {
    if (!this.line) return;
    this.loseLine();
    return this.follow(this.reconnect.lost(loss, this.engine.now(), this.engine.platform.random()));
  }

  /** Polling: the cursor held back counts now that all rows are applied. */
  takeCursor(): string | undefined {
    const cursor = this.nextCursor;
    this.nextCursor = undefined;
    return cursor;
  }

  private isTrying(): boolean {
    return this.trying !== undefined || this.isChecking || this.isRenewing;
  }

  private trySocket(): void {
    if (!this.isWanted || this.isTrying()) return;
    const { engine } = this;
    const address = this.gateways[this.tries % this.gateways.length] ?? engine.rest.socketAddress();
    const { proof } = engine.rest;
    const { resume } = engine.progress;
    const hello: Hello = {
      protocol,
      features: [],
      ...(proof.kind === 'token' && { token: proof.token }),
      foreground: engine.presences.startsForeground(),
      ...(resume !== undefined && { resume }),
      window: WINDOW,
    };
    const line: Line = openSocket(
      engine.platform,
      address,
      hello,
      this.listener(() => line),
    );
    this.trying = line;
    if (!this.line) this.announce({ state: 'connecting' });
  }

  /** What comes out of a line goes into the inbox; what a dropped line left there is ignored. */
  private listener(line: () => Line): Listener {
    const { engine } = this;
    return {
      welcome: (welcome) => engine.enqueue(() => this.onWelcome(line(), welcome)),
      frame: (frame) => engine.receive(line(), frame),
      cursor: (cursor) => engine.enqueue(() => (line() === this.line ? this.onCursor(cursor) : undefined)),
      lost: (loss) => engine.enqueue(() => this.onGone(line(), loss)),
    };
  }

  private async onWelcome(line: Line, welcome: Welcome): Promise<void> {
    if (line !== this.trying) return;
    if (welcome.account !== this.engine.me) return this.meetAnother();
    const { engine } = this;
    const since = welcome.resumed ? engine.progress.resume : undefined;
    this.trying = undefined;
    this.loseLine();
    this.onLine(line);
    engine.presences.tellForeground();
    await engine.list.hearLimits(welcome.limits);
    await engine.list.applyWindow(welcome.window, since, undefined);
    await this.catchUp();
  }

  private onGone(line: Line, loss: Loss): void | Promise<void> {
    if (line === this.line) return this.lost(loss);
    if (line !== this.trying) return;
    this.trying = undefined;
    if (loss.why === 'refused') return this.onFailure(loss, true);
    this.isChecking = true;
    const { rest } = this.engine;
    rest
      .call<Gateways>('GET', '/v1/gateways', undefined, GATEWAYS_WITHIN_MS)
      .then(({ gateways }) => {
        this.gateways = gateways.map(({ url }) => (url === '' ? rest.socketAddress() : url));
        this.engine.enqueue(() => this.onFailure(loss, true));
      })
      // What is no list of gateways does not come from the server either.
      .catch((failure: unknown) => {
        // One that passes is no answer of the server: a proxy in front of it says so while it is down.
        const isAnswer =
          failure instanceof Failure && failure.error !== undefined && failure.retryAfterMs === undefined;
        this.engine.enqueue(() => this.onFailure(loss, isAnswer));
      });
  }

  private onFailure(loss: Loss, httpWorks: boolean): void | Promise<void> {
    this.isChecking = false;
    this.tries += 1;
    if (!this.isWanted) return;
    const next = this.reconnect.failed(loss, httpWorks, this.engine.platform.random());
    if (next.then === 'poll' || (next.then === 'wait' && this.line)) {
      this.engine.timers.set('connect', SOCKET_AGAIN_MS, () => this.trySocket());
      return this.line ? undefined : this.startPolling();
    }
    this.loseLine();
    return this.follow(next);
  }

  private follow(next: Next): void | Promise<void> {
    switch (next.then) {
      case 'wait':
        this.engine.timers.set('connect', next.pauseMs, () => this.trySocket());
        this.announce({ state: 'waiting', retryAt: this.engine.now() + next.pauseMs });
        return;
      case 'log_in':
        return this.logInAgain();
      case 'stop':
        return this.stop(next.reason);
      case 'poll':
        // Only a failed try leads to polling; see `onFailure`.
        return;
    }
  }

  /** The token is not valid any more: gets another one where the app can give one. */
  private logInAgain(): void | Promise<void> {
    const { engine } = this;
    if (!engine.renew || this.isLeaving) {
      this.logOut();
      return engine.doubt();
    }
    this.isRenewing = true;
    this.announce({ state: 'connecting' });
    engine.renew().then(
      (renewed) => engine.enqueue(() => this.onRenewed(renewed)),
      (failure: unknown) => engine.enqueue(() => this.onRenewFailed(failure)),
    );
  }

  private async onRenewed({ session, rest }: Renewed): Promise<void> {
    this.isRenewing = false;
    const { engine } = this;
    if (session.account.account !== engine.me) return this.meetAnother();
    engine.rest = rest;
    engine.session = session;
    await engine.write([{ what: 'session', session }]);
    this.trySocket();
  }

  private onRenewFailed(failure: unknown): void {
    this.isRenewing = false;
    const isFinal = failure instanceof Failure && failure.error && failure.retryAfterMs === undefined;
    if (isFinal) {
      this.logOut();
      return;
    }
    this.engine.timers.set('connect', RENEW_AGAIN_MS, () => this.logInAgain());
    this.announce({ state: 'waiting', retryAt: this.engine.now() + RENEW_AGAIN_MS });
  }

  /** Few ever poll, so how that goes is loaded by whoever does. */
  private startPolling(): void {
    this.isChecking = true;
    Promise.all([this.proven(), loadPolling()]).then(
      ([account, open]) => this.engine.enqueue(() => this.onProven(account, open)),
      (failure: unknown) => this.engine.enqueue(() => this.onFailure(lossOf(failure), false)),
    );
  }

  /** Polls have no greeting that tells whose they are, and a cookie may be another account's by now. */
  private async proven(): Promise<AccountId> {
    const { rest, me } = this.engine;
    return rest.proof.kind === 'cookie' ? (await rest.call<OwnAccount>('GET', '/v1/account')).account : me;
  }

  private onProven(account: AccountId, open: typeof openPolling): void | Promise<void> {
    this.isChecking = false;
    if (!this.isWanted || this.line) return;
    return account === this.engine.me ? this.poll(open) : this.meetAnother();
  }

  private async poll(open: typeof openPolling): Promise<void> {
    const { engine } = this;
    const { cursor } = engine.progress;
    const line: Line = open(
      engine.rest,
      cursor,
      engine.marks.newestOnScreen(),
      this.listener(() => line),
    );
    this.onLine(line);
    if (cursor === undefined) engine.list.askFirstWindow();
    await this.catchUp();
  }

  private onLine(line: Line): void {
    const { engine } = this;
    this.line = line;
    if (!line.polling) engine.timers.clear('connect');
    this.reconnect.succeeded(engine.now(), line.polling);
    engine.timers.set('token', TOKEN_EVERY_MS, () => this.askToken());
    this.announce({ state: 'online', polling: line.polling });
  }

  /** Everything that a new line makes possible. */
  private async catchUp(): Promise<void> {
    const { engine } = this;
    engine.marks.askOpenAgain();
    engine.presences.sendWatch();
    engine.history.fillAllBehind();
    engine.own.catchUp();
    engine.people.catchUp();
    engine.marks.sendReads();
    engine.marks.sendDelivered();
    engine.own.sendValues();
    engine.sending.pumpAll();
    await Promise.resolve();
  }

  /** Drops the line and forgets what was to happen on it. */
  private loseLine(): void {
    const { engine } = this;
    this.trying?.close();
    this.trying = undefined;
    this.line?.close();
    this.line = undefined;
    engine.timers.clearAll();
    engine.requests.abandon();
    engine.history.forgetFills();
    this.nextCursor = undefined;
    engine.outbox.disconnected();
    engine.presences.forget();
    engine.own.watchMutes();
  }

  /** While things happen, the resume token moves on, so that the next start has little to catch up with. */
  private askToken(): void {
    const { engine } = this;
    engine.timers.set('token', TOKEN_EVERY_MS, () => this.askToken());
    // A poll's events do not come in order with the reply.
    const isInOrder = this.line !== undefined && !this.line.polling;
    if (this.isStirred && isInOrder && engine.requests.room > 0 && !engine.list.isPaging()) {
      this.isStirred = false;
      engine.ask('ping', {}, { answered: (answer) => this.onToken(answer) });
    }
  }

  /** Everything that came before the reply was applied, so its token counts. */
  private async onToken(answer: Answer<{ resume: string }>): Promise<void> {
    if (!answer.ok || this.engine.list.isPaging()) return;
    const { cursor: _cursor, ...progress } = this.engine.progress;
    this.engine.progress = progress;
    await this.engine.write([this.engine.progressed({ resume: answer.ok.resume })]);
  }

  /** Polling: everything up to the cursor was applied. */
  private async onCursor(cursor: string): Promise<void> {
    const { engine } = this;
    this.isStirred = false;
    engine.timers.set('own', OWN_EVERY_MS, () => engine.own.catchUp());
    if (engine.list.isPaging()) this.nextCursor = cursor;
    else await engine.write([engine.progressed({ cursor })]);
  }

  private announce(state: ConnectionState): void {
    if (JSON.stringify(state) === JSON.stringify(this.state)) return;
    this.state = state;
    this.engine.outlet.connection();
  }
}

async function loadPolling(): Promise<typeof openPolling> {
  try {
    return (await import('../transport/polling.js')).openPolling;
  } catch {
    throw new Failure('unreachable', 'What is needed to poll cannot be loaded.');
  }
}
