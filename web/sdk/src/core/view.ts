/** How cached entries and unsent acts are shown. Pure. */

import type { Message, MessageContent } from '../model.js';
import type { AccountId, ConversationId, Entry, Mention, ReactionCount, Role } from '../wire.js';
import type { Item } from './outbox.js';
import { isAct, isDeleted, reactionBody, reactionCounts, type CachedEntry } from './standing.js';

/** Whether an app shows entries of this kind by themselves. */
export function isShown(entry: Entry): boolean {
  return !isAct(entry) && entry.kind !== 'author_erased' && entry.kind !== 'set';
}

/** A stored entry as it stands. */
export function stored(conversation: ConversationId, one: CachedEntry): Message {
  const { entry } = one;
  const deleted = isDeleted(one);
  return {
    conversation,
    seq: entry.seq,
    clientId: entry.client_id,
    author: entry.author,
    at: entry.at,
    content: deleted ? { type: 'deleted' } : content(entry),
    ...(entry.kind === 'message' && entry.target !== undefined && { replyTo: entry.target }),
    edited: one.edited > 0 && !deleted,
    reactions: deleted ? [] : reactionCounts(one),
    state: { state: 'sent' },
    changing: false,
  };
}

/** A message that waits or failed; absent for acts on other messages. */
export function unsent(item: Item, me: AccountId): Message | undefined {
  if (item.kind !== 'message') return undefined;
  return {
    conversation: item.conversation,
    clientId: item.client_id,
    author: me,
    at: item.composed_at,
    content: said(item.body, item.mentions ?? []),
    ...(item.target !== undefined && { replyTo: item.target }),
    edited: false,
    reactions: [],
    state: item.failed ? { state: 'failed', error: item.failed } : { state: 'pending' },
    changing: false,
  };
}

/** The message with an own edit, deletion or reaction that is not stored yet; the same where the act is not about it. */
export function overlaid(message: Message, item: Item): Message {
  const isAbout = item.kind !== 'message' && message.seq !== undefined && message.seq === item.target;
  if (!isAbout || item.failed || message.content.type === 'deleted') return message;
  switch (item.kind) {
    case 'edit':
      return { ...message, content: said(item.body, item.mentions ?? []), edited: true, changing: true };
    case 'delete':
      return { ...message, content: { type: 'deleted' }, reactions: [], changing: true };
    case 'reaction': {
      const reactions = chosen(message.reactions, reactionBody(item.body)?.emoji);
      return { ...message, reactions, changing: true };
    }
  }
}

/** Moves the account's own reaction. */
function chosen(before: readonly ReactionCount[], emoji: string | undefined): ReactionCount[] {
  const reactions = before.map((one) => (one.mine ? { ...one, mine: false, count: one.count - 1 } : one));
  if (emoji !== undefined) {
    const index = reactions.findIndex((one) => one.emoji === emoji);
    const same = reactions[index];
    if (same) reactions[index] = { ...same, count: same.count + 1, mine: true };
    else reactions.push({ emoji, count: 1, mine: true });
  }
  return reactions.filter((one) => one.count > 0);
}

function content(entry: Entry): MessageContent {
  if (entry.kind === 'message') return said(entry.body, entry.mentions ?? []);
  return happened(entry) ?? { type: 'unsupported' };
}

function said(body: unknown, mentions: Mention[]): MessageContent {
  if (body === undefined || body === null) return { type: 'deleted' };
  const { type, text, data } = body as { type?: unknown; text?: unknown; data?: unknown };
  if (type === 'text' && typeof text === 'string') {
    return { type: 'text', text, mentions, ...(data !== undefined && { data }) };
  }
  return type === 'custom' ? { type: 'custom', data: data ?? null } : { type: 'unsupported' };
}

/** What a change of the conversation did; absent where its body cannot be read. */
function happened(entry: Entry): MessageContent | undefined {
  const body = (entry.body ?? {}) as Record<string, unknown>;
  switch (entry.kind) {
    case 'created': {
      if (!isAccounts(body['members'])) return undefined;
      const { title } = (body['settings'] ?? {}) as { title?: unknown };
      return { type: 'created', members: body['members'], ...(typeof title === 'string' && { title }) };
    }
    case 'members_added':
      return isAccounts(body['accounts']) ? { type: 'members_added', accounts: body['accounts'] } : undefined;
    case 'member_removed':
      return isAccounts(body['accounts'])
        ? { type: 'members_removed', accounts: body['accounts'] }
        : undefined;
    case 'role_changed': {
      const { account, role } = body;
      if (typeof account !== 'string' || typeof role !== 'string') return undefined;
      return { type: 'role_changed', account, role: role as Role };
    }
    case 'settings_changed': {
      const { title } = body;
      return { type: 'settings_changed', ...(typeof title === 'string' && { title }) };
    }
    case 'member_left':
      return { type: 'member_left' };
    case 'dissolved':
      return { type: 'dissolved' };
    default:
      return undefined;
  }
}

function isAccounts(value: unknown): value is AccountId[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string');
}
