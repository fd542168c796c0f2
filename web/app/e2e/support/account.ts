// Accounts and conversations made by REST, as a backend or another client would.
import type { LoggedIn } from '@suda/client';

/** The password of every account of a test. */
export const PASSWORD = 'correct horse battery';

/** An account with a device of its own, beside the browser's. */
export class Account {
  /** The newest number that this account got, by conversation. */
  private readonly bases = new Map<string, number>();

  private constructor(
    private readonly server: string,
    readonly name: string,
    readonly id: string,
    readonly token: string,
  ) {}

  /** Signs up. */
  static async signUp(server: string, name: string, displayName = name): Promise<Account> {
    const body = {
      name,
      password: PASSWORD,
      display_name: displayName,
      device: { name: 'test', platform: 'test' },
    };
    const loggedIn = await call<LoggedIn>(server, 'POST', '/v1/accounts', body);
    return new Account(server, name, loggedIn.account.account, loggedIn.token ?? '');
  }

  /** Any REST call of this account. */
  rest<T>(method: string, path: string, body?: unknown): Promise<T> {
    return call<T>(this.server, method, path, body, this.token);
  }

  /** Any request of the protocol, answered with the body of its reply. */
  async request<T>(type: string, body: unknown): Promise<T> {
    const reply = await this.rest<{ ok: T }>('POST', '/v1/requests', { id: 1, type, body });
    return reply.ok;
  }

  /** The direct conversation with another account. */
  async direct(other: Account): Promise<string> {
    return (await this.rest<{ conversation: string }>('POST', '/v1/direct', { account: other.id }))
      .conversation;
  }

  /** A new group with others. */
  async group(title: string, others: readonly Account[]): Promise<string> {
    const members = others.map(({ id }) => id);
    const body = { client_id: clientId(), members, title };
    return (await this.rest<{ conversation: string }>('POST', '/v1/groups', body)).conversation;
  }

  /** Sends a text; resolves with its sequence. */
  async send(conversation: string, text: string, more: Record<string, unknown> = {}): Promise<number> {
    const base = this.bases.get(conversation) ?? 1;
    const body = {
      conversation,
      client_id: clientId(),
      base,
      kind: 'message',
      body: { type: 'text', text },
      ...more,
    };
    const sent = await this.request<{ position: { seq: number } }>('send', body);
    this.bases.set(conversation, sent.position.seq);
    return sent.position.seq;
  }

  /** Marks as read up to a sequence. */
  async read(conversation: string, seq: number): Promise<void> {
    await this.request('mark', { conversation, read: seq });
  }
}

async function call<T>(
  server: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<T> {
  const answer = await fetch(server + path, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}

let counter = 0;

/** A new client id: a UUIDv7 by time and counter, so that those of one test ascend. */
export function clientId(): string {
  counter += 1;
  const time = Date.now().toString(16).padStart(12, '0');
  const tail = counter.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${tail}`;
}
