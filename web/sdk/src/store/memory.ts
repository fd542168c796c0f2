/** A store that is gone with the page or process. */

import type { Wanted } from '../core/conversation.js';
import { isAct, type CachedEntry } from '../core/standing.js';
import { isShown } from '../core/view.js';
import type { ClientId, Contact, ConversationId, Detail, Limits, OwnItem, Profile } from '../wire.js';
import type { Held, Kept, Placed, Progress, Session, Store, WantedValue, Write } from './contract.js';

/** Everything in maps. */
export class MemoryStore implements Store {
  private session: Session | undefined;
  private limits: Limits | undefined;
  private progress: Progress = { ownEpoch: 0, ownSeq: 0 };
  private contacts: readonly Contact[] = [];
  private readonly conversations = new Map<ConversationId, Held>();
  private readonly details = new Map<ConversationId, Detail>();
  private readonly entries = new Map<ConversationId, Map<number, CachedEntry>>();
  private readonly ownItems = new Map<string, OwnItem>();
  private readonly wantedValues = new Map<string, WantedValue>();
  private readonly profiles = new Map<string, Profile>();
  private readonly outbox = new Map<ClientId, Placed>();

  load(): Promise<Kept> {
    return Promise.resolve({
      ...(this.session && { session: this.session }),
      ...(this.limits && { limits: this.limits }),
      progress: this.progress,
      conversations: [...this.conversations],
      ownItems: [...this.ownItems.values()],
      wantedValues: [...this.wantedValues.values()],
      profiles: [...this.profiles.values()],
      contacts: [...this.contacts],
      outbox: [...this.outbox.values()].sort((one, other) => one.place - other.place),
    });
  }

  slice(conversation: ConversationId, wanted: Wanted): Promise<CachedEntry[]> {
    const entries = this.entries.get(conversation);
    if (!entries) return Promise.resolve([]);
    const found = new Map<number, CachedEntry>();
    for (const seq of wanted.seqs) {
      const entry = entries.get(seq);
      if (entry) found.set(seq, entry);
    }
    if (wanted.actsOn.size > 0) {
      for (const [seq, entry] of entries) {
        const { target } = entry.entry;
        if (isAct(entry.entry) && target !== undefined && wanted.actsOn.has(target)) found.set(seq, entry);
      }
    }
    return Promise.resolve([...found.values()]);
  }

  shown(
    conversation: ConversationId,
    from: number,
    to: number,
    limit: number,
    newest: boolean,
  ): Promise<CachedEntry[]> {
    const entries = this.entries.get(conversation);
    const found: CachedEntry[] = [];
    const step = newest ? -1 : 1;
    for (let seq = newest ? to : from; seq >= from && seq <= to && found.length < limit; seq += step) {
      const entry = entries?.get(seq);
      if (entry && isShown(entry.entry)) found.push(entry);
    }
    return Promise.resolve(newest ? found.reverse() : found);
  }

  detail(conversation: ConversationId): Promise<Detail | undefined> {
    return Promise.resolve(this.details.get(conversation));
  }

  write(writes: readonly Write[]): Promise<void> {
    writes.forEach((write) => this.apply(write));
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  private apply(write: Write): void {
    switch (write.what) {
      case 'session':
        this.session = write.session;
        return;
      case 'progress':
        this.progress = write.progress;
        return;
      case 'limits':
        this.limits = write.limits;
        return;
      case 'contacts':
        this.contacts = write.contacts;
        return;
      case 'conversation':
        this.conversations.set(write.conversation, write.held);
        return;
      case 'detail':
        this.details.set(write.conversation, write.detail);
        return;
      case 'entries':
      case 'drop_below':
        this.applyEntries(write);
        return;
      case 'wipe':
        this.wipe();
        return;
      default:
        this.applySmall(write);
    }
  }

  private applySmall(write: Write): void {
    switch (write.what) {
      case 'own_items':
        write.items.forEach((item) => this.ownItems.set(item.key, item));
        return;
      case 'clear_own_items':
        this.ownItems.clear();
        return;
      case 'wanted_value':
        this.wantedValues.set(write.value.key, write.value);
        return;
      case 'forget_value':
        this.wantedValues.delete(write.key);
        return;
      case 'profiles':
        write.profiles.forEach((profile) => this.profiles.set(profile.account, profile));
        return;
      case 'outbox':
        this.outbox.set(write.placed.item.client_id, write.placed);
        return;
      case 'outbox_remove':
        this.outbox.delete(write.clientId);
        return;
    }
  }

  private applyEntries(write: Extract<Write, { what: 'entries' | 'drop_below' }>): void {
    const entries = this.entries.get(write.conversation) ?? new Map<number, CachedEntry>();
    this.entries.set(write.conversation, entries);
    if (write.what === 'entries') {
      write.entries.forEach((entry) => entries.set(entry.entry.seq, entry));
      return;
    }
    for (const seq of entries.keys()) {
      if (seq < write.seq) entries.delete(seq);
    }
  }

  private wipe(): void {
    this.session = undefined;
    this.limits = undefined;
    this.contacts = [];
    this.progress = { ownEpoch: 0, ownSeq: 0 };
    const maps = [this.conversations, this.details, this.entries, this.ownItems, this.wantedValues];
    [...maps, this.profiles, this.outbox].forEach((map) => map.clear());
  }
}
