// Names of accounts, for every component: reactive, and safe to put into a sentence.
import type { AccountId, Client, Profile } from '@suda/client';
import { createContext } from 'svelte';
import { fromStore } from 'svelte/store';

import { t } from './strings/strings.svelte';

/** Characters that turn the direction of what stands around them; a name must not reach beyond itself. */
const TURNING = /[\u202a-\u202e\u2066-\u2069]/gu;
const MOST_REMEMBERED = 2_000;

/** A name for putting into a sentence: it keeps its own direction and leaves the sentence its own. */
export function isolated(name: string): string {
  return `\u2068${name.replace(TURNING, '')}\u2069`;
}

/** Looks names up. What is read in a component or an effect is told anew when it becomes known. */
export class People {
  private readonly known = new Map<AccountId, { readonly current: Profile | undefined }>();
  private readonly own: { readonly current: { account: AccountId } };

  constructor(private readonly client: Client) {
    this.own = fromStore(client.me);
  }

  /** Whether this is the account that is logged in. */
  isMe(account: AccountId): boolean {
    return this.own.current.account === account;
  }

  /** The account that is logged in. */
  get me(): AccountId {
    return this.own.current.account;
  }

  /** The profile; undefined until known. */
  profile(account: AccountId): Profile | undefined {
    let live = this.known.get(account);
    if (live === undefined) {
      if (this.known.size >= MOST_REMEMBERED) this.known.clear();
      live = fromStore(this.client.profile(account));
      this.known.set(account, live);
    }
    return live.current;
  }

  /** The name to show; a dash until known. */
  name(account: AccountId): string {
    const profile = this.profile(account);
    if (profile === undefined) return '–';
    return profile.deleted === true ? t().shell.deletedAccount : profile.display_name.replace(TURNING, '');
  }

  /** The name within a sentence. */
  inText(account: AccountId): string {
    return isolated(this.name(account));
  }

  /** The hue of the avatar, degrees. */
  colour(account: AccountId): number {
    return this.profile(account)?.colour ?? 200;
  }
}

const [people, providePeople] = createContext<People>();

export {
  /** The names; for components below the shell. */
  people,
  /** Gives the names to everything below; for the shell. */
  providePeople,
};
