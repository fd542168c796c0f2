// What a conversation is called, also where nobody named it.
import type { ConversationSummary } from '@suda/client';

import { t } from '../strings/strings.svelte';

/** The title to show. */
export function titleOf(row: Pick<ConversationSummary, 'title' | 'kind'>): string {
  if (row.title !== '') return row.title;
  return row.kind === 'group' ? t().shell.unnamedGroup : '–';
}
