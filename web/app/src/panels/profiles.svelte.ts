// The profiles of a changing set of accounts, for lists that sort and search by name.
import type { AccountId, Client, Profile } from '@suda/client';
import { untrack } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';

/** Follows the profiles of the accounts as long as the component lives; those not known yet are missing. */
export function followProfiles(
  client: Client,
  accounts: () => readonly AccountId[],
): ReadonlyMap<AccountId, Profile> {
  const known = new SvelteMap<AccountId, Profile>();
  const stops: Record<AccountId, () => void> = {};

  function unfollow(account: AccountId): void {
    stops[account]?.();
    Reflect.deleteProperty(stops, account);
    known.delete(account);
  }

  function follow(account: AccountId): void {
    stops[account] ??= client.profile(account).subscribe((profile) => {
      if (profile !== undefined) known.set(account, profile);
    });
  }

  $effect(() => {
    const wanted = accounts();
    untrack(() => {
      for (const account of Object.keys(stops)) if (!wanted.includes(account)) unfollow(account);
      for (const account of wanted) follow(account);
    });
  });
  $effect(() => () => Object.values(stops).forEach((stop) => stop()));
  return known;
}
