/** A conversation, as one page sees it. */

import type { Conversation, Timeline } from '../api.js';
import { timeOrderedId } from '../core/ids.js';
import type { SendKind } from '../core/outbox.js';
import type { Calls } from '../engine/desk.js';
import type {
  ConversationDetails,
  ConversationPresence,
  ConversationSummary,
  Live,
  Message,
  Mute,
} from '../model.js';
import type { Platform } from '../platform.js';
import type { AccountId, ClientId, ConversationId, Mention, Reacted, Role, SettingsBody } from '../wire.js';
import { ignore } from './ignore.js';
import { asJson } from './json.js';
import type { Mirror } from './mirror.js';
import { OpenTimeline } from './timeline.js';

/** What an act says beside its kind. */
interface Act {
  target?: number;
  mentions?: Mention[];
  body?: unknown;
}

/** A handle that asks nothing by itself. */
export class ConversationHandle implements Conversation {
  readonly summary: Live<ConversationSummary | undefined>;
  readonly details: Live<ConversationDetails | undefined>;
  readonly presence: Live<ConversationPresence>;

  constructor(
    readonly id: ConversationId,
    private readonly calls: Calls,
    private readonly mirror: Mirror,
    private readonly platform: Platform,
  ) {
    this.summary = mirror.summary(id);
    this.details = mirror.detail(id);
    this.presence = mirror.place(id);
  }

  timeline({ around, pageSize }: { around?: number; pageSize?: number } = {}): Timeline {
    return new OpenTimeline(this.id, this.calls, this.mirror, around, pageSize);
  }

  send(
    text: string,
    options: { replyTo?: number; mentions?: Mention[]; data?: unknown } = {},
  ): Promise<ClientId> {
    const { replyTo, mentions, data } = options;
    return this.compose('message', {
      ...(replyTo !== undefined && { target: replyTo }),
      ...(mentions && { mentions }),
      body: { type: 'text', text, ...(data !== undefined && { data }) },
    });
  }

  sendCustom(data: unknown): Promise<ClientId> {
    return this.compose('message', { body: { type: 'custom', data } });
  }

  edit(seq: number, text: string, mentions?: Mention[]): Promise<ClientId> {
    return this.compose('edit', { target: seq, ...(mentions && { mentions }), body: { type: 'text', text } });
  }

  delete(seq: number): Promise<ClientId> {
    return this.compose('delete', { target: seq });
  }

  react(seq: number, emoji?: string): Promise<ClientId> {
    return this.compose('reaction', { target: seq, body: emoji === undefined ? {} : { emoji } });
  }

  reactions(seq: number): Promise<Reacted[]> {
    return this.calls.reactions(this.id, seq);
  }

  retry(clientId: ClientId): Promise<void> {
    return this.calls.retry(clientId);
  }

  discard(clientId: ClientId): Promise<void> {
    return this.calls.discard(clientId);
  }

  async message(seq: number): Promise<Message | undefined> {
    const { messages } = await this.calls.read(this.id, { at: 'around', seq }, 1);
    return messages.find((message) => message.seq === seq);
  }

  markRead(seq: number): Promise<void> {
    return this.calls.markRead(this.id, seq);
  }

  typing(typing: boolean): void {
    this.calls.typing(this.id, typing).catch(ignore);
  }

  setDraft(text: string | null): Promise<void> {
    return this.set('draft', text === null || text === '' ? null : { text });
  }

  setMute(mute: Mute | null): Promise<void> {
    return this.set('mute', mute);
  }

  setArchived(archived: boolean): Promise<void> {
    return this.set('archive', archived ? true : null);
  }

  setPin(pin: number | null): Promise<void> {
    return this.set('pin', pin);
  }

  async changeGroup(settings: SettingsBody): Promise<void> {
    await this.calls.rest('PATCH', `/v1/groups/${this.id}`, { ...settings, client_id: this.newId() });
    await this.refresh();
  }

  async addMembers(accounts: AccountId[]): Promise<void> {
    await this.calls.rest('POST', `/v1/groups/${this.id}/members`, { accounts, client_id: this.newId() });
    await this.refresh();
  }

  async removeMember(account: AccountId): Promise<void> {
    await this.calls.rest('DELETE', `/v1/groups/${this.id}/members/${account}`);
    await this.refresh();
  }

  async changeRole(account: AccountId, role: Role): Promise<void> {
    await this.calls.rest('PUT', `/v1/groups/${this.id}/members/${account}/role`, { role });
    await this.refresh();
  }

  leave(): Promise<void> {
    return this.removeMember(this.mirror.me.value.account);
  }

  async dissolve(): Promise<void> {
    await this.calls.rest('DELETE', `/v1/groups/${this.id}`);
    await this.refresh();
  }

  private async set(family: string, value: unknown): Promise<void> {
    await this.calls.setValue(`${family}/${this.id}`, asJson(value));
  }

  private async compose(kind: SendKind, act: Act): Promise<ClientId> {
    const client_id = this.newId();
    const base = this.summary.value?.head;
    await this.calls.compose({
      client_id,
      conversation: this.id,
      kind,
      ...(asJson(act) as Act),
      ...(base !== undefined && { base }),
    });
    return client_id;
  }

  /** What changed over HTTP is told as events, too; whoever has no connection now learns it with the next one. */
  private refresh(): Promise<void> {
    return this.calls.refresh(this.id).catch(() => undefined);
  }

  private newId(): ClientId {
    return timeOrderedId(this.platform.now(), this.platform.randomBytes(10));
  }
}
