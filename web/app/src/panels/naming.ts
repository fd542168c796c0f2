// What somebody is called on screen, whatever the profile holds.
import type { Profile } from '@suda/client';

import { t } from '../strings/strings.svelte';

/** The display name; the plain name where it is empty; a word of ours for deleted accounts and those not known yet. */
export function nameOf(profile: Profile | undefined): string {
  if (profile === undefined) return '…';
  if (profile.deleted === true) return t().people.deleted;
  return profile.display_name || profile.name;
}
