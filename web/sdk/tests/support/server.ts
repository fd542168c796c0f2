/** A real server for tests: an own process, folder and port. */

import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** How long a server may take to answer after its start, in milliseconds. */
const STARTS_WITHIN_MS = 20_000;

/** The program under test: `SUDA_BINARY`, else what cargo built last. */
export function binary(): string {
  const root = resolve(import.meta.dirname, '../../../..');
  const built = ['release', 'debug'].map((profile) => join(root, 'target', profile, 'suda'));
  const found = [process.env['SUDA_BINARY'], ...built].find((path) => path !== undefined && existsSync(path));
  if (found === undefined) throw new Error('build the server first (cargo build), or set SUDA_BINARY');
  return found;
}

/** One server. */
export class Server {
  private child: ChildProcess | undefined;

  private constructor(
    readonly folder: string,
    readonly port: number,
    private readonly flags: readonly string[],
  ) {}

  /** Starts one on a free port, with an empty folder. */
  static async start(flags: readonly string[] = []): Promise<Server> {
    const server = new Server(mkdtempSync(join(tmpdir(), 'suda-sdk-')), await freePort(), flags);
    await server.begin();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${String(this.port)}`;
  }

  /** Starts it again where it stopped. */
  async begin(): Promise<void> {
    const listen = ['--listen', `127.0.0.1:${String(this.port)}`, '--data', join(this.folder, 'data')];
    this.child = spawn(binary(), ['serve', ...listen, ...this.flags], { stdio: 'ignore' });
    const end = Date.now() + STARTS_WITHIN_MS;
    while (!(await this.answers())) {
      if (Date.now() > end || this.child.exitCode !== null) throw new Error('the server does not start');
    }
  }

  /** Ends it with a signal, and waits until it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    await gone;
  }

  /** Copies everything that is stored now to a folder, while it runs. */
  backup(to: string): void {
    execFileSync(binary(), ['backup', '--data', join(this.folder, 'data'), '--to', join(this.folder, to)]);
  }

  /** Puts a backup in the place of what is stored; it must not run meanwhile. */
  restore(from: string): void {
    const data = join(this.folder, 'data');
    rmSync(data, { recursive: true });
    execFileSync(binary(), ['restore', '--data', data, '--from', join(this.folder, from)]);
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    await this.end();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async answers(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.address}/v1/health`, { signal: AbortSignal.timeout(500) });
      return answer.ok;
    } catch {
      // Nothing listens yet; asked again a moment later.
      await new Promise((done) => setTimeout(done, 20));
      return false;
    }
  }
}

/** A port that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const probe = createServer();
    probe.once('error', failed);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        typeof address === 'object' && address ? done(address.port) : failed(new Error('no port')),
      );
    });
  });
}
