// Which messages are worth a notification of the page, and what the badge says. Pure: the page's state comes as arguments.
import type { AccountId, ConversationId, ConversationSummary, Message } from '@suda/client';

/** Where somebody is looking. */
export interface Attention {
  /** Whether the page is visible and has the focus. */
  looking: boolean;
  /** The conversation on screen. */
  open?: ConversationId;
}

/** Whether a message mentions the account, or everybody. */
export function mentions(message: Message, me: AccountId): boolean {
  if (message.content.type !== 'text') return false;
  return message.content.mentions.some(({ who }) => who === 'all' || who.account === me);
}

/**
 * Whether a new message is told by a notification: somebody else's words, not read yet, in a conversation that nobody
 * looks at, and not muted, unless it mentions the account and the mute lets mentions through.
 */
export function isWorthANotice(
  message: Message,
  summary: ConversationSummary,
  me: AccountId,
  attention: Attention,
  now: number,
): boolean {
  if (message.author === me || message.seq === undefined || message.seq <= summary.read) return false;
  if (message.content.type !== 'text' && message.content.type !== 'custom') return false;
  if (attention.looking && attention.open === message.conversation) return false;
  if (summary.archived) return false;
  const mute = summary.mute;
  const isMuted = mute !== undefined && (mute.until === null || mute.until > now);
  return !isMuted || (mute.except_mentions && mentions(message, me));
}

/** The page's title: the count of unread messages in front, where there are any. */
export function titled(name: string, unread: number): string {
  return unread === 0 ? name : `(${badgeText(unread)}) ${name}`;
}

/** A count as short as a badge needs it. */
export function badgeText(count: number): string {
  return count > 99 ? '99+' : String(count);
}
