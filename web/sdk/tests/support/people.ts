/** People who chat in tests: accounts of a real server with a client each. */

import { logIn, open, signUp, type Client, type Message, type OpenOptions } from '../../src/node.js';
import type { Server } from './server.js';
import { until } from './waiting.js';

/** The password of everybody. */
export const PASSWORD = 'correct horse battery';

/** A new account with a client that is online. */
export async function join(
  server: Server,
  name: string,
  options: Partial<OpenOptions> = {},
): Promise<Client> {
  const account = { name, password: PASSWORD, displayName: name.toUpperCase() };
  const { token } = await signUp(account, { server: server.address });
  return online(server, token ?? '', options);
}

/** Another device of an account. */
export async function another(
  server: Server,
  name: string,
  options: Partial<OpenOptions> = {},
): Promise<Client> {
  const { token } = await logIn({ name, password: PASSWORD }, { server: server.address });
  return online(server, token ?? '', options);
}

const tokens = new WeakMap<Client, string>();

/** What a client was opened with, to open another one in its place. */
export function credentialOf(client: Client): OpenOptions['credential'] {
  return { kind: 'token', token: tokens.get(client) ?? '' };
}

async function online(server: Server, token: string, options: Partial<OpenOptions>): Promise<Client> {
  const client = await open({
    server: server.address,
    credential: { kind: 'token', token },
    storage: 'memory',
    share: 'none',
    ...options,
  });
  tokens.set(client, token);
  await until(client.connection, ({ state }) => state === 'online');
  return client;
}

/** What messages say, for comparing. */
export function texts(messages: readonly Message[]): string[] {
  return messages.flatMap(({ content }) => (content.type === 'text' ? content.text : []));
}
