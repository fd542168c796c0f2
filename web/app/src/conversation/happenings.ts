// Messages in one line: what happened in words, and previews of what was said.
import type { AccountId, Message, Role } from '@suda/client';

import { isolated, type People } from '../people.svelte';
import { t } from '../strings/strings.svelte';
import { plain } from './marking';

const MOST_NAMES = 3;
const PREVIEW_CHARACTERS = 160;

/** A message in one line of plain text, for lists, quotes and screen readers. */
export function preview(message: Message, people: People): string {
  const { content } = message;
  const words = t().conversation;
  switch (content.type) {
    case 'text':
      return plain(content.text.slice(0, PREVIEW_CHARACTERS)).replace(/\s+/gu, ' ');
    case 'custom':
      return words.custom;
    case 'deleted':
      return people.isMe(message.author) ? words.deletedByYou : words.deleted;
    default:
      return happening(message, people);
  }
}

/** What happened, as a sentence; empty for what somebody said. */
export function happening(message: Message, people: People): string {
  const { content, author } = message;
  const words = t().conversation;
  const name = subject(author, people);
  switch (content.type) {
    case 'created':
      if (content.title === undefined && content.members.length <= 2) return words.beginning;
      return people.isMe(author) ? words.createdByYou : words.created(name);
    case 'members_added':
      return words.added(name, objects(content.accounts, people));
    case 'members_removed':
      return words.removed(name, objects(content.accounts, people));
    case 'member_left':
      return words.memberLeft(name);
    case 'role_changed':
      return roleChanged(content.role)(name, objects([content.account], people));
    case 'settings_changed':
      return content.title === undefined ? words.settings(name) : words.titled(name, isolated(content.title));
    case 'dissolved':
      return words.closed(name);
    case 'unsupported':
      return words.unsupported;
    default:
      return '';
  }
}

function roleChanged(role: Role): (name: string, who: string) => string {
  const words = t().conversation;
  if (role === 'owner') return words.madeOwner;
  return role === 'admin' ? words.madeAdmin : words.madeMember;
}

function subject(account: AccountId, people: People): string {
  return people.isMe(account) ? t().conversation.youName : people.inText(account);
}

function objects(accounts: readonly AccountId[], people: People): string {
  const names = accounts
    .slice(0, MOST_NAMES)
    .map((account) => (people.isMe(account) ? t().conversation.youObject : people.inText(account)));
  return t().conversation.names(names, Math.max(0, accounts.length - MOST_NAMES));
}
