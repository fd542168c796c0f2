// A server of its own for a test: real, in a temporary folder, on a free port, with the built client in front of it.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { preview, type PreviewServer } from 'vite';

/** The repository. */
const ROOT = resolve(import.meta.dirname, '../../../..');

/** The server to test with: `SUDA_BINARY`, else what cargo built. */
function binary(): string {
  const candidates = [process.env['SUDA_BINARY'], 'target/release/suda', 'target/debug/suda'];
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const path = resolve(ROOT, candidate);
    if (existsSync(path)) return path;
  }
  throw new Error('no server to test with: run `cargo build -p suda`, or set SUDA_BINARY');
}

/** A running server. */
export class Server {
  private process: ChildProcess | undefined;
  private page: PreviewServer | undefined;
  /** Where the server itself listens, `http://127.0.0.1:PORT`. */
  address = '';
  /** Where the client is opened: the server itself, or a preview of the client in `dist` that passes calls on to it. */
  url = '';

  private constructor(
    private readonly folder: string,
    private readonly options: readonly string[],
  ) {}

  /** Starts one. With `SUDA_PAGE=server` the client is the one that the server was built with. */
  static async start(options: readonly string[] = []): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), 'suda-e2e-')), options);
    await server.run('127.0.0.1:0');
    server.url = server.address;
    if (process.env['SUDA_PAGE'] !== 'server') {
      process.env['SUDA_SERVER'] = server.address;
      server.page = await preview({
        root: resolve(import.meta.dirname, '../..'),
        logLevel: 'error',
        preview: { port: 0, host: '127.0.0.1' },
      });
      server.url = (server.page.resolvedUrls?.local[0] ?? '').replace(/\/$/u, '');
    }
    return server;
  }

  /** Kills the server as a loss of power would, and starts it again at the same address. */
  async restart(): Promise<void> {
    await this.kill();
    await this.run(this.address.replace('http://', ''));
  }

  /** Kills the server as a loss of power would. */
  async kill(): Promise<void> {
    const running = this.process;
    this.process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once('exit', resolve));
    running.kill('SIGKILL');
    await ended;
  }

  /** Starts a killed server again. */
  async revive(): Promise<void> {
    await this.run(this.address.replace('http://', ''));
  }

  /** Stops everything and removes the folder. */
  async stop(): Promise<void> {
    await this.page?.close();
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async run(listen: string): Promise<void> {
    const started = spawn(
      binary(),
      ['serve', '--data', this.folder, '--listen', listen, '--password-memory-kib', '64', ...this.options],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, SUDA_LOG_LEVEL: 'error' } },
    );
    this.process = started;
    for await (const line of createInterface(started.stdout)) {
      const found = /listens on (http:\S+)/u.exec(line)?.[1];
      if (found === undefined) continue;
      this.address = found;
      // What it prints later must not fill the pipe.
      started.stdout.resume();
      return;
    }
    throw new Error('the server ended before it listened');
  }
}
