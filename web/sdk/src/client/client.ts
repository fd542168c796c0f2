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
import { ignore } from './ignore.js';
import { asJson } from './json.js';
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
  private foreground = typeof document === 'undefined' || document.visibilityState === 'visible';
  private readonly stopLooking: () => void;

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
    this.stopLooking = this.followPage();
    this.tellForeground();
  }

  /** Another engine answers from now on. */
  taken(): void {
    this.tellForeground();
    this.mirror.askAgain();
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
    this.foreground = foreground;
    this.tellForeground();
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

  async setAppValue(name: string, value: unknown): Promise<void> {
    await this.calls.setValue(`app/${name}`, asJson(value));
  }

  logOut(): Promise<boolean> {
    return this.calls.logOut(false);
  }

  async deleteAccount(password: string): Promise<void> {
    await this.calls.rest('DELETE', '/v1/account', { password });
    await this.calls.logOut(true);
  }

  close(): void {
    this.stopLooking();
    this.mirror.events.end();
    this.letGo();
  }

  /** Somebody looks as long as the page is visible; whoever comes back, or the network, is a reason to hurry. */
  private followPage(): () => void {
    if (typeof document === 'undefined') return () => undefined;
    const looked = (): void => this.setForeground(document.visibilityState === 'visible');
    const online = (): void => this.tellForeground();
    document.addEventListener('visibilitychange', looked);
    globalThis.addEventListener('online', online);
    return () => {
      document.removeEventListener('visibilitychange', looked);
      globalThis.removeEventListener('online', online);
    };
  }

  private tellForeground(): void {
    this.calls.foreground(this.foreground).catch(ignore);
  }

  private async loadAll(): Promise<void> {
    while (await this.calls.moreConversations());
  }

  /** Brings a new conversation into the list; without a connection the next one does. */
  private refresh(conversation: ConversationId): Promise<void> {
    return this.calls.refresh(conversation).catch(() => undefined);
  }
}
