/** A row of the list as pages show it, without what this device knows beside it. Pure. */

import type { ConversationSummary } from '../model.js';
import type { ConversationId, Profile, Row } from '../wire.js';

/** What the server says of a conversation; `peer` is whom a direct one is with, once that is known. */
export function summarised(row: Row, peer: Profile | undefined): ConversationSummary {
  const { conversation, kind, members, at, head, read, unread, mentions } = row;
  return {
    conversation,
    kind,
    title: (row.peer === undefined ? row.title : peer?.display_name) ?? '',
    ...(row.peer !== undefined && { peer: row.peer }),
    members,
    ...(row.role !== undefined && { role: row.role }),
    at,
    head,
    read,
    unread,
    mentions,
    archived: false,
    unsent: 0,
    colour: peer?.colour ?? hueOf(conversation),
  };
}

/** A hue for a group, 0 to 359, the same on every device. */
function hueOf(conversation: ConversationId): number {
  return parseInt(conversation.slice(0, 8), 16) % 360;
}
