// Sentences that only those need for whom something went wrong: why a send failed, why the app has stopped. Loaded then.
import { errorSentences } from '@suda/client';

import { language, t } from './strings/strings.svelte';

/** What the server means by a code; absent for one that this version does not know. Reactive in the language. */
export function refusal(code: string): string | undefined {
  const sentences: Record<string, Record<string, string>> = errorSentences;
  return sentences[code]?.[language()];
}

/** Why trying again cannot help; all strings must be loaded. Reactive in the language. */
export function whyStopped(reason: string): string {
  const own: Record<string, string> = t().stops;
  return own[reason] ?? refusal(reason) ?? t().stops.unknown;
}
