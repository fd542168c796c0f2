// What can be done with a person: write, ask, accept, decline, remove, block; asked about first where it cuts somebody off.
import type { Client, Profile } from '@suda/client';

import { confirm } from '../parts/confirming.svelte';
import { toast } from '../parts/toasts.svelte';
import { attempt } from '../problems';
import { go } from '../routing.svelte';
import { t } from '../strings/strings.svelte';
import { nameInText } from './naming';

/** A person, and how it stands to the account where that matters. */
type Person = Profile & { relation?: string };

/** The acts on people; each resolves with whether it was done, and says why where it failed. */
export interface PeopleActs {
  /** Opens the direct conversation. */
  message(person: Person): Promise<boolean>;
  /** Asks to be a contact, or accepts. */
  ask(person: Person): Promise<boolean>;
  /** Withdraws or declines a request. */
  withdraw(person: Person): Promise<boolean>;
  remove(person: Person): Promise<boolean>;
  block(person: Person): Promise<boolean>;
  unblock(person: Person): Promise<boolean>;
}

/** The acts, for a client. */
export function peopleActs(client: Client): PeopleActs {
  const words = () => t().people;
  return {
    message: (person) =>
      attempt(async () => {
        go({ page: 'conversation', conversation: await client.openDirect(person.account) });
      }),
    ask: (person) =>
      attempt(async () => {
        const accepts = person.relation === 'asked';
        await client.requestContact(person.account);
        toast((accepts ? words().accepted : words().requested)(nameInText(person)));
      }),
    withdraw: (person) => attempt(() => client.removeContact(person.account)),
    remove: async (person) => {
      const { confirmRemove, confirmRemoveHint, remove } = words();
      const question = { title: confirmRemove(nameInText(person)), text: confirmRemoveHint, action: remove };
      return (
        (await confirm({ ...question, danger: true })) && attempt(() => client.removeContact(person.account))
      );
    },
    block: async (person) => {
      const { confirmBlock, blockedHint, block } = words();
      const question = { title: confirmBlock(nameInText(person)), text: blockedHint, action: block };
      return (await confirm({ ...question, danger: true })) && attempt(() => client.block(person.account));
    },
    unblock: (person) => attempt(() => client.unblock(person.account)),
  };
}
