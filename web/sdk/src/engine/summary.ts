/** A line of the list as pages show it: the row and everything beside it. */

import { summarised } from '../core/row.js';
import { cached } from '../core/standing.js';
import { overlaid, stored, unsent } from '../core/view.js';
import type { ConversationSummary, Message, Mute } from '../model.js';
import type { ConversationId, Row } from '../wire.js';
import type { Engine } from './engine.js';

/** A preview is cut to so many UTF-16 units, as the server cuts it. */
const PREVIEW = 160;

/** One conversation of the list; absent where the server has not told it yet. */
export function summaryOf(engine: Engine, conversation: ConversationId): ConversationSummary | undefined {
  const row = engine.held.get(conversation)?.row;
  if (!row) return undefined;
  const waiting = engine.outbox.of(conversation);
  const last = lastOf(engine, row);
  const value = (family: string): unknown => engine.own.value(`${family}/${conversation}`);
  const [mute, pin, draft] = [muteOf(value('mute'), engine.now()), value('pin'), value('draft')];
  const text = (draft as { text?: unknown } | undefined)?.text;
  const peer = row.peer === undefined ? undefined : engine.people.profile(row.peer);
  return {
    ...summarised(row, peer),
    at: last && last.seq === undefined ? Math.max(row.at, last.at) : row.at,
    ...(last && { last }),
    ...(mute && { mute }),
    archived: value('archive') === true,
    ...(typeof pin === 'number' && { pin }),
    ...(typeof text === 'string' && text !== '' && { draft: text }),
    unsent: waiting.length,
  };
}

/** The newest message, or the newest unsent one; its text cut. */
function lastOf(engine: Engine, row: Row): Message | undefined {
  const waiting = engine.outbox.of(row.conversation);
  const newest = waiting.filter((item) => item.kind === 'message').at(-1);
  const message = newest ? unsent(newest, engine.me) : row.last && stored(row.conversation, cached(row.last));
  if (!message) return undefined;
  return cut(waiting.reduce(overlaid, message));
}

function cut(message: Message): Message {
  const { content } = message;
  if (content.type !== 'text' || content.text.length <= PREVIEW) return message;
  return { ...message, content: { ...content, text: content.text.slice(0, PREVIEW) } };
}

/** How it is muted now. */
function muteOf(value: unknown, now: number): Mute | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { until, except_mentions } = value as { until?: unknown; except_mentions?: unknown };
  const end = typeof until === 'number' ? until : null;
  return end !== null && end <= now ? undefined : { until: end, except_mentions: except_mentions === true };
}
