// A person on the Rust SDK: the program `companion` of `crates/client/examples`, spoken to by lines.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { PASSWORD, type Account } from './account';
import type { Server } from './server';

/** The repository. */
const ROOT = resolve(import.meta.dirname, '../../../..');

/** A message as the companion has it. */
export interface Told {
  /** Absent while it waits. */
  seq: number | null;
  author: string;
  /** Absent where it was deleted or is no text. */
  text: string | null;
  reply_to: number | null;
  edited: boolean;
  deleted: boolean;
  /** Each emoji with how many accounts chose it. */
  reactions: [string, number][];
}

type Order =
  | { say: { text: string; reply_to?: number } }
  | { edit: { seq: number; text: string } }
  | { delete: { seq: number } }
  | { react: { seq: number; emoji: string } }
  | { list: Record<string, never> };

type Report = 'online' | { message: Told } | { messages: Told[] } | { failed: string };

/** The program: `SUDA_COMPANION`, else what cargo builds now. */
function binary(): string {
  const given = process.env['SUDA_COMPANION'];
  if (given !== undefined) return resolve(ROOT, given);
  execFileSync('cargo', ['build', '-q', '-p', 'suda-client', '--example', 'companion'], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  return join(process.env['CARGO_TARGET_DIR'] ?? join(ROOT, 'target'), 'debug/examples/companion');
}

/** Somebody in one conversation. */
export class Companion {
  /** Every message that came, in the order of its coming. */
  readonly heard: Told[] = [];
  /** Codes of refused sends. */
  readonly failures: string[] = [];
  private readonly lists: ((messages: Told[]) => void)[] = [];

  private constructor(private readonly program: ChildProcess) {}

  /** Logs in; resolves when it is connected. */
  static async join(server: Server, account: Account, conversation: string): Promise<Companion> {
    const program = spawn(binary(), [server.address, account.name, PASSWORD, conversation], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const companion = new Companion(program);
    await new Promise<void>((online, failed) => {
      program.once('exit', () => failed(new Error('the companion ended')));
      createInterface(program.stdout).on('line', (line) => {
        const report = JSON.parse(line) as Report;
        if (report === 'online') online();
        else companion.hear(report);
      });
    });
    return companion;
  }

  /** Gives an order. */
  order(order: Order): void {
    this.program.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  /** Says a line of text. */
  say(text: string): void {
    this.program.stdin?.write(`${text}\n`);
  }

  /** The newest messages as they stand on its device. */
  list(): Promise<Told[]> {
    const listed = new Promise<Told[]>((resolve) => this.lists.push(resolve));
    this.order({ list: {} });
    return listed;
  }

  /** Ends its input, and with that the program. */
  async leave(): Promise<void> {
    if (this.program.exitCode !== null) return;
    const ended = new Promise((resolve) => this.program.once('exit', resolve));
    this.program.stdin?.end();
    await ended;
  }

  private hear(report: Exclude<Report, 'online'>): void {
    if ('message' in report) this.heard.push(report.message);
    else if ('messages' in report) this.lists.shift()?.(report.messages);
    else this.failures.push(report.failed);
  }
}
