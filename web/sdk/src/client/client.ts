/** A logged-in account, as one page sees it; whoever owns the connection is behind `Calls`. */

import type { Client, Conversation, SudaEvent } from '../api.js';
import { timeOrderedId } from '../core/ids.js';
import type { Calls } from '../engine/desk.js';
import type { ConnectionState, ConversationSummary, Live } from '../model.js';
import type { Platform } from '../platform.js';
import type {
  AccountChange,
  AccountId,
  Accounts,
  Contact,
  ConversationId,
  ConversationRef,
  Device,
  DeviceId,
  Devices,
  Limits,
  OwnAccount,
  Presence,
  Profile,
  RecoveryCodes,
  SettingsBody,
} from '../wire.js';
import { ConversationHandle } from './conversation.js';
import type { Mirror } from './mirror.js';

/** The client of a page. */
export class PageClient implements Client {
  readonly me: Live<OwnAccount>;
  readonly connection: Live<ConnectionState>;
  readonly conversations: Live<readonly ConversationSummary[]>;
  readonly unread: Live<{ unread: number; mentions: number }>;
  readonly contacts: Live<readonly Contact[]>;
  readonly limits: Live<Limits>;
  private readonly handles = new Map<ConversationId, Conversation>();
  private loadingAll: Promise<void> | undefined;

  constructor(
    private readonly calls: Calls,
    private readonly mirror: Mirror,
    private readonly platform: Platform,
    /** Lets go of the engine. */
    private readonly letGo: () => void,
  ) {
    this.me = mirror.me;
    this.connection = mirror.connection;
    this.conversations = mirror.conversations;
    this.unread = mirror.unread;
    this.contacts = mirror.contacts;
    this.limits = mirror.limits;
  }

  events(): AsyncIterableIterator<SudaEvent> {
    return this.mirror.events.iterate();
  }

  on<T extends SudaEvent['type']>(
    type: T,
    listener: (event: Extract<SudaEvent, { type: T }>) => void,
  ): () => void {
    return this.mirror.events.on(type, listener);
  }

  loadMoreConversations(): Promise<boolean> {
    return this.calls.moreConversations();
  }

  loadAllConversations(): Promise<void> {
    this.loadingAll ??= this.loadAll().finally(() => (this.loadingAll = undefined));
    return this.loadingAll;
  }

  conversation(id: ConversationId): Conversation {
    const handle = this.handles.get(id) ?? new ConversationHandle(id, this.calls, this.mirror, this.platform);
    this.handles.set(id, handle);
    return handle;
  }

  async openDirect(account: AccountId): Promise<ConversationId> {
    const { conversation } = (await this.calls.rest('POST', '/v1/direct', { account })) as ConversationRef;
    await this.refresh(conversation);
    return conversation;
  }

  async createGroup(settings: SettingsBody, members: AccountId[]): Promise<ConversationId> {
    const client_id = timeOrderedId(this.platform.now(), this.platform.randomBytes(10));
    const body = { ...settings, client_id, members };
    const { conversation } = (await this.calls.rest('POST', '/v1/groups', body)) as ConversationRef;
    await this.refresh(conversation);
    return conversation;
  }

  profile(account: AccountId): Live<Profile | undefined> {
    return this.mirror.profile(account);
  }

  async searchAccounts(prefix: string): Promise<Profile[]> {
    const path = `/v1/accounts?prefix=${encodeURIComponent(prefix)}`;
    const { accounts } = (await this.calls.rest('GET', path)) as Accounts;
    await this.calls.keepProfiles(accounts);
    return accounts;
  }

  async requestContact(account: AccountId): Promise<void> {
    await this.calls.rest('PUT', `/v1/contacts/${account}`);
  }

  async removeContact(account: AccountId): Promise<void> {
    await this.calls.rest('DELETE', `/v1/contacts/${account}`);
  }

  async block(account: AccountId): Promise<void> {
    await this.calls.rest('PUT', `/v1/blocks/${account}`);
  }

  async unblock(account: AccountId): Promise<void> {
    await this.calls.rest('DELETE', `/v1/blocks/${account}`);
  }

  presence(account: AccountId): Live<Presence> {
    return this.mirror.presence(account);
  }

  setForeground(foreground: boolean): void {
    void this.calls.foreground(foreground);
  }

  async changeAccount(change: AccountChange): Promise<OwnAccount> {
    const account = (await this.calls.rest('PATCH', '/v1/account', change)) as OwnAccount;
    await this.calls.keepAccount(account);
    return account;
  }

  async changePassword(oldPassword: string, newPassword: string): Promise<void> {
    await this.calls.rest('POST', '/v1/account/password', {
      old_password: oldPassword,
      new_password: newPassword,
    });
  }

  async newRecoveryCodes(password: string): Promise<string[]> {
    const codes = (await this.calls.rest('POST', '/v1/account/recovery-codes', {
      password,
    })) as RecoveryCodes;
    return codes.recovery_codes;
  }

  async devices(): Promise<Device[]> {
    return ((await this.calls.rest('GET', '/v1/devices')) as Devices).devices;
  }

  async removeDevice(device: DeviceId): Promise<void> {
    await this.calls.rest('DELETE', `/v1/devices/${device}`);
  }

  appValue(name: string): Live<unknown> {
    return this.mirror.appValue(name);
  }

  setAppValue(name: string, value: unknown): Promise<void> {
    return this.calls.setValue(`app/${name}`, value);
  }

  logOut(): Promise<void> {
    return this.calls.logOut(false);
  }

  async deleteAccount(password: string): Promise<void> {
    await this.calls.rest('DELETE', '/v1/account', { password });
    await this.calls.logOut(true);
  }

  close(): void {
    this.mirror.events.end();
    this.letGo();
  }

  private async loadAll(): Promise<void> {
    while (await this.calls.moreConversations());
  }

  /** Brings a new conversation into the list; without a connection the next one does. */
  private refresh(conversation: ConversationId): Promise<void> {
    return this.calls.refresh(conversation).catch(() => undefined);
  }
}
