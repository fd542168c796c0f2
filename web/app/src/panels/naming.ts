// What somebody is called on screen, whatever the profile holds.
import type { Profile } from '@suda/client';

import { isolated } from '../people.svelte';
import { t } from '../strings/strings.svelte';

/** The display name, without what turns the line; the plain name where nothing is left; a word of ours for deleted accounts. */
export function nameOf(profile: Profile | undefined): string {
  if (profile === undefined) return '…';
  if (profile.deleted === true) return t().shell.deletedAccount;
  return profile.display_name.replace(/[\u202a-\u202e\u2066-\u2069]/gu, '') || profile.name;
}

/** The name within a sentence: it keeps its own direction and leaves the sentence its own. */
export function nameInText(profile: Profile | undefined): string {
  return isolated(nameOf(profile));
}
