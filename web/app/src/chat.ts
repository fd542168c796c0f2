// The one connection of this page: opened after log-in, given to all components by Svelte's context.
import { open, type Client, type LoggedIn, type OpenOptions } from '@suda/client';
import workerUrl from '@suda/client/worker?sharedworker&url';
import { createContext } from 'svelte';

import { Entered } from './entered';
import { forgetGlimpse } from './glimpse/glimpse';
import { finishLeaving, isLeaving } from './leaving.svelte';
import { language, useLanguage } from './strings/strings.svelte';

const [client, provideClient] = createContext<Client>();

export {
  /** The client; for components below the shell. */
  client,
  /** Gives the client to everything below; for the shell. */
  provideClient,
};

const entered = new Entered(localStorage);

/** Whether somebody logged in on this browser and did not log out. */
export function isEntered(): boolean {
  return entered.isMarked && !isLeaving();
}

/** Opens the client of whoever is logged in here. Works without a network: what is cached can be read. */
export async function openEntered(): Promise<Client> {
  if (!(await finishLeaving())) throw new Error('a log-out is not finished');
  entered.takeUp();
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
  if (credential.kind === 'cookie') entered.mark(loggedIn.account.account, Date.now());
  return opened;
}

/** The mark of this page's login; null where none is remembered. */
export function loginMark(): string | null {
  return entered.present;
}

/** Forgets this page's login. Tells whether nobody is logged in now: false where another tab has logged in since. */
export function forget(): boolean {
  const isNobody = entered.forget();
  if (isNobody) forgetGlimpse();
  return isNobody;
}
