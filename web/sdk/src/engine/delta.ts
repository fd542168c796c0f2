/** What an engine tells a page: what changed since it told last. Everything here survives a structured clone. */

import type {
  ConnectionState,
  ConversationDetails,
  ConversationPresence,
  ConversationSummary,
  Message,
} from '../model.js';
import type { SudaEvent } from '../api.js';
import type { Contact, ConversationId, Detail, Limits, OwnAccount, Presence, Profile } from '../wire.js';

/** Changes, gathered for a frame's time. */
export interface Delta {
  /** Everything told before is void; what follows is all there is. */
  restart?: true;
  connection?: ConnectionState;
  me?: OwnAccount;
  limits?: Limits;
  /** Rows that changed or appeared. */
  rows?: ConversationSummary[];
  /** All contacts. */
  contacts?: Contact[];
  profiles?: Profile[];
  presences?: Presence[];
  places?: { conversation: ConversationId; presence: ConversationPresence }[];
  details?: { conversation: ConversationId; details: ConversationDetails }[];
  messages?: MessagesDelta[];
  /** Values of the app's own, by name; `undefined` where removed. */
  appValues?: { name: string; value: unknown }[];
  events?: SudaEvent[];
}

/** Changes of a conversation that the page follows. */
export interface MessagesDelta {
  conversation: ConversationId;
  /** New or changed, ascending. */
  changed: Message[];
  /** Everything unsent, where that changed. */
  unsent?: Message[];
  /** The newest stretch of the cache without holes; absent where nothing is cached. */
  tail?: readonly [from: number, to: number];
  /** What was shown may be void: read it again. */
  reload?: true;
  /** When this was told; a reading of an earlier moment is older. */
  moment: number;
}

/** A page of messages. */
export interface Reading {
  /** Ascending. */
  messages: Message[];
  /** Everything unsent in the conversation. */
  unsent: Message[];
  /** The stretch that `messages` covers without holes; `to` is below `from` where nothing is known. */
  from: number;
  to: number;
  hasEarlier: boolean;
  hasLater: boolean;
  /** When it was read: what was told up to this moment is in it. */
  moment: number;
}

/** A conversation's details as pages show them. */
export function detailsOf({ members, history, edit_seconds, dissolved }: Detail): ConversationDetails {
  return { members, history, editSeconds: edit_seconds, dissolved };
}
