// What can be done to a conversation from the list.
import type { Conversation, ConversationSummary } from '@suda/client';

import type { MenuItem } from '../parts/menu';
import { toast } from '../parts/toasts.svelte';
import { t } from '../strings/strings.svelte';

const HOUR = 3_600_000;

/** The lines of the menu of a row. */
export function actionsOf(row: ConversationSummary, conversation: Conversation): MenuItem[] {
  const words = t().list;
  const items: MenuItem[] = [];
  if (row.unread > 0) items.push(item(words.markRead, 'read', () => conversation.markRead(row.head)));
  if (row.pin === undefined) items.push(item(words.pin, 'pin', () => conversation.setPin(-Date.now())));
  else items.push(item(words.unpin, 'pin', () => conversation.setPin(null)));
  if (row.mute) items.push(item(words.unmute, 'bell', () => conversation.setMute(null)));
  else {
    const mute = (until: number | null, except_mentions: boolean) => () =>
      conversation.setMute({ until, except_mentions });
    items.push(
      item(words.muteHour, 'muted', mute(Date.now() + HOUR, false)),
      item(words.muteDay, 'muted', mute(nextMorning(), false)),
      item(words.muteForever, 'muted', mute(null, true)),
    );
  }
  items.push(
    item(row.archived ? words.unarchive : words.archive, 'archive', () =>
      conversation.setArchived(!row.archived),
    ),
  );
  return items;
}

function item(label: string, icon: NonNullable<MenuItem['icon']>, act: () => Promise<void>): MenuItem {
  const run = (): void => void act().catch(() => toast(t().shell.failed, { kind: 'error' }));
  return { label, icon, run };
}

/** Tomorrow at eight, this device's clock. */
function nextMorning(): number {
  const at = new Date();
  at.setDate(at.getDate() + 1);
  return at.setHours(8, 0, 0, 0);
}
