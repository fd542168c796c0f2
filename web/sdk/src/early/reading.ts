/** Reading a conversation by single requests, for somebody who waits while there is no engine yet. */

import { summarised } from '../core/row.js';
import { cached } from '../core/standing.js';
import { isShown, stored } from '../core/view.js';
import { detailsOf } from '../engine/delta.js';
import type { ConversationDetails, ConversationSummary, TimelineView } from '../model.js';
import type { Rest } from '../transport/rest.js';
import type {
  AccountId,
  ConversationId,
  HistoryRange,
  Page,
  Profile,
  RequestName,
  Requests,
  Row,
} from '../wire.js';

/** How many entries are read at first: enough for a few screens. */
const LOOK = 50;

/** A conversation as it is first shown: around the first unread message, or at the newest. */
export interface Beginning {
  summary: ConversationSummary;
  details: ConversationDetails;
  view: TimelineView;
  /** Everybody in it and whoever wrote what is shown. */
  accounts: AccountId[];
  /** Where whom it is with is known, the same row with that. */
  named(profiles: readonly Profile[]): ConversationSummary;
}

/** Reads where somebody would begin to read; fails as REST calls do. */
export async function beginning(rest: Rest, conversation: ConversationId): Promise<Beginning> {
  const [detail, newest] = await Promise.all([
    ask(rest, 'conversation', { conversation }),
    page(rest, conversation, { newest: { limit: LOOK } }),
  ]);
  const { row, members } = detail;
  const unread = row.unread > 0 ? row.read + 1 : newest.to;
  const read =
    unread >= newest.from ? newest : await page(rest, conversation, { around: { seq: unread, limit: LOOK } });
  const messages = read.entries.map(cached).filter((one) => isShown(one.entry));
  return {
    summary: summarised(row, undefined),
    details: detailsOf(detail),
    view: {
      messages: messages.map((one) => stored(conversation, one)),
      hasEarlier: read.from > row.floor,
      hasLater: read.to < read.head,
      loading: false,
    },
    accounts: [...members.map(({ account }) => account), ...messages.map(({ entry }) => entry.author)],
    named: (profiles) => named(row, profiles),
  };
}

/** Who somebody is. */
export async function profiles(rest: Rest, accounts: AccountId[]): Promise<Profile[]> {
  return (await ask(rest, 'profiles', { accounts: [...new Set(accounts)].slice(0, 200) })).profiles;
}

function named(row: Row, known: readonly Profile[]): ConversationSummary {
  return summarised(
    row,
    known.find(({ account }) => account === row.peer),
  );
}

function page(rest: Rest, conversation: ConversationId, range: HistoryRange): Promise<Page> {
  return ask(rest, 'history', { conversation, range });
}

async function ask<N extends RequestName>(
  rest: Rest,
  type: N,
  body: Requests[N]['body'],
): Promise<Requests[N]['reply']> {
  const { ok } = await rest.call<{ ok: Requests[N]['reply'] }>('POST', '/v1/requests', { id: 1, type, body });
  return ok;
}
