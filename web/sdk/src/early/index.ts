/**
 * Opens a client so that a conversation can be read before the engine is loaded: where an app's user is new in this browser,
 * a page logs in, reads by single requests, and hands its login over. Everywhere else the engine is first, since it has what
 * is cached.
 */

import type { Client, OpenOptions } from '../api.js';
import { ignore } from '../client/ignore.js';
import { platform } from '../platform.js';
import { openingOf, sharingOf } from '../share/sharing.js';
import type { ConversationId } from '../wire.js';
import { EarlyClient } from './client.js';
import { enterFirst, type Entered } from './login.js';
import { beginning, profiles } from './reading.js';

/** A client, maybe without its engine. */
export interface Opened {
  /** All that it has been told is there at once; calls wait for the engine. */
  client: Client;
  /** Waits until what a conversation begins with can be shown; fails where that could not be read before the engine is there. */
  look(conversation: ConversationId): Promise<void>;
  /** Loads the engine, once; fails as `open` does. Until then nothing that happens is told. */
  complete(): Promise<void>;
}

/** As `open`, but does not wait for the engine where nothing is cached anyway. Fails as REST calls do. */
export async function openEarly(options: OpenOptions): Promise<Opened> {
  const { credential } = options;
  const sharing = sharingOf(options);
  const opening = openingOf(options, sharing);
  const isKept = opening.storage === 'indexeddb' && sharing.by !== 'none';
  const entered =
    isKept && credential.kind === 'app' ? await enterFirst(platform, opening, credential.jwt) : undefined;
  return entered ? early(options, entered) : atOnce(options);
}

async function atOnce(options: OpenOptions): Promise<Opened> {
  const client = await openWhole(options);
  return { client, look: () => Promise.resolve(), complete: () => Promise.resolve() };
}

function early(options: OpenOptions, { account, rest }: Entered): Opened {
  let begin: () => void = () => undefined;
  const coming = new Promise<void>((resolve) => (begin = resolve)).then(() => openWhole(options));
  coming.catch(ignore);
  const client = new EarlyClient(account, coming, platform);
  const look = async (conversation: ConversationId): Promise<void> => {
    const read = await beginning(rest, conversation);
    client.take(conversation, read);
    // Names come when they come; what was said can be read meanwhile.
    profiles(rest, read.accounts).then(
      (known) => client.name(conversation, read.named(known), known),
      ignore,
    );
  };
  const complete = async (): Promise<void> => {
    begin();
    await coming;
  };
  return { client: client.asWhole(), look, complete };
}

async function openWhole(options: OpenOptions): Promise<Client> {
  return (await import('../entrance.js')).open(options);
}
