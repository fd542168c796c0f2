// The account's own language: counts in browsers in which nobody chose another.
import type { Client } from '@suda/client';

import { hasChosenLanguage, language, languageOf, useLanguage } from './strings.svelte';

/** Follows the account's language as long as nobody chooses one in this browser; returns how to stop. */
export function speakLikeAccount(client: Client): () => void {
  return client.me.subscribe((me) => {
    const wanted = languageOf(me.language);
    if (wanted !== undefined && wanted !== language() && !hasChosenLanguage()) void useLanguage(wanted);
  });
}
