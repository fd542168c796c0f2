// Korean: what the list and the conversations say; loaded at once.
import type { Strings } from '../strings.svelte';
import { conversation } from './conversation';
import { list } from './list';
import { page } from './page';
import { shell } from './shell';

export const first: Pick<Strings, 'conversation' | 'list' | 'page' | 'shell'> = {
  conversation,
  list,
  page,
  shell,
};
