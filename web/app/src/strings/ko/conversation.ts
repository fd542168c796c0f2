// Korean: a conversation and the box to write in.
import type { Strings } from '../strings.svelte';

export const conversation: Strings['conversation'] = {
  messages: '메시지',
  write: '메시지',
};
