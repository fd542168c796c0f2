// Looking for accounts by the beginning of their name, while somebody types: asks once the typing pauses, newest answer wins.
import type { Client, Profile } from '@suda/client';

const PAUSE_MILLISECONDS = 200;

/** One search field and what it found. */
export class PeopleSearch {
  #client: Client;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #typed = $state('');
  /** For what was asked last; answers to anything else are late. */
  #asked = '';
  #found = $state.raw<readonly Profile[]>([]);
  /** For which prefix `#found` holds; empty before the first answer. */
  #prefix = $state('');
  failed = $state.raw<unknown>();

  constructor(client: Client) {
    this.#client = client;
  }

  /** What stands in the field. */
  get typed(): string {
    return this.#typed;
  }

  set typed(text: string) {
    this.#typed = text;
    clearTimeout(this.#timer);
    const prefix = this.wanted;
    if (prefix === '') this.#take('', []);
    else this.#timer = setTimeout(() => void this.#ask(prefix), PAUSE_MILLISECONDS);
  }

  /** The prefix that is looked for: names are lower case, and people type an @ in front. */
  get wanted(): string {
    return this.#typed.trim().replace(/^@/, '').toLowerCase();
  }

  /** What the server found, as far as it fits what is typed by now. */
  get found(): readonly Profile[] {
    return this.#found.filter(({ name }) => name.startsWith(this.wanted));
  }

  /** Whether an answer is still to come. */
  get searching(): boolean {
    return this.wanted !== this.#prefix && this.failed === undefined;
  }

  async #ask(prefix: string): Promise<void> {
    this.#asked = prefix;
    try {
      const found = await this.#client.searchAccounts(prefix);
      if (this.#asked === prefix) this.#take(prefix, found);
    } catch (error) {
      if (this.#asked === prefix) this.failed = error;
    }
  }

  #take(prefix: string, found: readonly Profile[]): void {
    this.#asked = prefix;
    this.#prefix = prefix;
    this.#found = found;
    this.failed = undefined;
  }
}

/** Whether a person fits what is typed: the beginning of the name, or any part of the display name. */
export function fits(profile: Profile, typed: string): boolean {
  const wanted = typed.trim().replace(/^@/, '').toLocaleLowerCase();
  if (wanted === '' || profile.name.startsWith(wanted)) return true;
  return profile.display_name.toLocaleLowerCase().includes(wanted);
}
