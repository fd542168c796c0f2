/** Names, colours and contacts: profiles that are not known yet are asked for, many at a time. */

import type { Kept } from '../store/contract.js';
import type { AccountId, Contact, Contacts, OwnAccount, Profile, Profiles, Row } from '../wire.js';
import type { Engine } from './engine.js';
import type { Answer } from './requests.js';

/** How many profiles are asked for at a time. */
const PROFILES = 200;

/** How many profiles are kept; whoever was met first gives way. */
const MOST_PROFILES = 10_000;

/** Changes of contacts are gathered for so long: as they happen, and after a start, when the list comes first. */
const CONTACTS_AFTER_MS = { live: 200, start: 1_000 };

/** After this pause what could not be read over HTTP is asked for again. */
const AGAIN_MS = 5_000;

/** The people that the engine knows. */
export class People {
  private readonly profiles: Map<AccountId, Profile>;
  private readonly strangers = new Set<AccountId>();
  /** Those who were asked about: whoever does not exist is not asked for again. */
  private readonly asked = new Set<AccountId>();
  private areContactsOld = false;
  private isAccountOld = false;
  contacts: Contact[];

  constructor(
    private readonly engine: Engine,
    kept: Kept,
  ) {
    this.profiles = new Map(kept.profiles.map((profile) => [profile.account, profile]));
    this.contacts = kept.contacts;
  }

  /** A profile, as far as it is known. */
  profile(account: AccountId): Profile | undefined {
    return this.profiles.get(account);
  }

  /** Somebody was mentioned: the profile is asked for if it is not known. */
  meet(account: AccountId): void {
    if (!this.profiles.has(account) && !this.asked.has(account)) this.strangers.add(account);
  }

  /** Everybody in a row. */
  meetRow(row: Row): void {
    if (row.peer !== undefined) this.meet(row.peer);
    if (row.last) this.meet(row.last.author);
  }

  askAboutStrangers(): void {
    if (this.strangers.size === 0 || !this.engine.contact.line) return;
    if (this.engine.requests.isAsking('profiles')) return;
    const accounts = [...this.strangers].slice(0, PROFILES);
    accounts.forEach((account) => {
      this.strangers.delete(account);
      this.asked.add(account);
    });
    this.ask(accounts);
  }

  /** Asks for profiles, known or not. */
  ask(accounts: AccountId[]): void {
    const forget = (): void => accounts.forEach((account) => this.asked.delete(account));
    this.engine.ask(
      'profiles',
      { accounts },
      {
        key: 'profiles',
        // Asked for again when they are met again.
        abandoned: forget,
        answered: async ({ ok }: Answer<Profiles>) => (ok ? this.keep(ok.profiles) : forget()),
      },
    );
  }

  /** Keeps profiles, wherever they come from, and tells pages. */
  async keep(profiles: readonly Profile[]): Promise<void> {
    const news = profiles.filter(
      (one) => JSON.stringify(this.profiles.get(one.account)) !== JSON.stringify(one),
    );
    if (news.length === 0) return;
    news.forEach((profile) => this.profiles.set(profile.account, profile));
    for (const account of this.profiles.keys()) {
      if (this.profiles.size <= MOST_PROFILES) break;
      this.profiles.delete(account);
    }
    await this.engine.write([{ what: 'profiles', profiles: news }]);
    this.engine.outlet.profiles(news);
    const changed = new Set(news.map((profile) => profile.account));
    for (const [conversation, { row }] of this.engine.held) {
      if (row?.peer !== undefined && changed.has(row.peer)) this.engine.outlet.row(conversation);
    }
  }

  /** Who is a contact changed; `live` where it happened just now. */
  contactsChanged(live: boolean): void {
    this.areContactsOld = true;
    const pause = live ? CONTACTS_AFTER_MS.live : CONTACTS_AFTER_MS.start;
    this.engine.timers.set('contacts', pause, () => this.readContacts());
  }

  /** The own profile or settings changed. */
  ownProfileChanged(): void {
    this.isAccountOld = true;
    this.engine.timers.set('account', CONTACTS_AFTER_MS.live, () => this.readAccount());
  }

  /** A new line: reads what could not be read before. */
  catchUp(): void {
    if (this.areContactsOld) this.contactsChanged(false);
    if (this.isAccountOld) this.ownProfileChanged();
  }

  /** The account as the server has just told it, to whoever the proof belongs now. */
  async keepAccount(account: OwnAccount): Promise<void> {
    if (account.account !== this.engine.me) return this.engine.contact.meetAnother();
    this.engine.session = { ...this.engine.session, account };
    await this.engine.write([{ what: 'session', session: this.engine.session }]);
    this.engine.outlet.account();
    await this.keep([profileOf(account)]);
  }

  private readContacts(): void {
    const again = (): void => this.engine.timers.set('contacts', AGAIN_MS, () => this.readContacts());
    this.engine.rest
      .call<Contacts>('GET', '/v1/contacts')
      .then(({ contacts }) => this.engine.enqueue(() => this.keepContacts(contacts)))
      .catch(() => this.engine.enqueue(again));
  }

  private async keepContacts(contacts: Contact[]): Promise<void> {
    this.areContactsOld = false;
    this.contacts = contacts;
    await this.engine.write([{ what: 'contacts', contacts }]);
    this.engine.outlet.contacts();
    await this.keep(contacts.map(({ relation: _relation, ...profile }) => profile));
  }

  private readAccount(): void {
    const again = (): void => this.engine.timers.set('account', AGAIN_MS, () => this.readAccount());
    this.engine.rest.call<OwnAccount>('GET', '/v1/account').then(
      (account) =>
        this.engine.enqueue(() => {
          this.isAccountOld = false;
          return this.keepAccount(account);
        }),
      () => this.engine.enqueue(again),
    );
  }
}

function profileOf(own: OwnAccount): Profile {
  const { account, name, display_name, colour, about, data, deleted } = own;
  return {
    account,
    name,
    display_name,
    colour,
    ...(about !== undefined && { about }),
    ...(data !== undefined && { data }),
    ...(deleted !== undefined && { deleted }),
  };
}
