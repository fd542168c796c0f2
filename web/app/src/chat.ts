// The one connection of this page: opened after log-in, given to all components by Svelte's context.
import { open, type Client, type LoggedIn, type OpenOptions } from '@suda/client';
import workerUrl from '@suda/client/worker?sharedworker&url';
import { createContext } from 'svelte';

import { language, useLanguage } from './strings/strings.svelte';

const [client, provideClient] = createContext<Client>();

export {
  /** The client; for components below the shell. */
  client,
  /** Gives the client to everything below; for the shell. */
  provideClient,
};

/** Remembers that somebody is logged in here; the cookie itself is out of reach of scripts. */
const ENTERED = 'suda.entered';

/** Whether somebody logged in on this browser and did not log out. */
export function isEntered(): boolean {
  return localStorage.getItem(ENTERED) !== null;
}

/** Opens the client of whoever is logged in here. Works without a network: what is cached can be read. */
export function openEntered(): Promise<Client> {
  return open({ credential: { kind: 'cookie' }, workerUrl });
}

/** Opens the client after sign-up, log-in or recovery. */
export async function enter(loggedIn: LoggedIn): Promise<Client> {
  // A server that set no cookie answers with a token; it is kept in memory only, out of reach of other scripts' storage.
  const credential: OpenOptions['credential'] =
    loggedIn.token === undefined ? { kind: 'cookie' } : { kind: 'token', token: loggedIn.token };
  const opened = await open({ credential, workerUrl });
  if (loggedIn.recovery_codes !== undefined) {
    // A new account speaks the language in which it was made.
    await useLanguage(language(), { keep: true });
    void opened.changeAccount({ language: language() }).catch(() => undefined);
  }
  if (credential.kind === 'cookie') localStorage.setItem(ENTERED, loggedIn.account.account);
  return opened;
}

/** Forgets that somebody is logged in; the entrance is shown next. */
export function forget(): void {
  localStorage.removeItem(ENTERED);
}
