// The drop-in widget: the custom element `<suda-chat>` shows one conversation on any page whose origin the server allows. It
// logs in by a token that the page hands over, never by the cookie of the server's own pages.
import { mount, unmount } from 'svelte';

import { languageOf, useLanguage } from '../strings/strings.svelte';
import { share, type Shared, type TokenSource } from './clients';
import { styles } from './styles';
import Widget from './Widget.svelte';

import '../styles/tokens.css';
import '../styles/base.css';
import './base.css';

const OBSERVED = ['conversation', 'server', 'language'] as const;

/** `<suda-chat conversation="ID" server="https://…" theme="auto|light|dark" language="en|ko">`, with a property `token` and a method `logOut()`. */
export class SudaChat extends HTMLElement {
  static readonly observedAttributes: readonly string[] = OBSERVED;

  #token: TokenSource | undefined;
  #shown: { component: Record<string, unknown>; shared: Shared } | undefined;
  #planned = false;

  constructor() {
    super();
    this.attachShadow({ mode: 'open' }).adoptedStyleSheets = [styles()];
  }

  /** Returns a JWT of the app's backend for the user on this page; called at the start and when the login has expired. */
  get token(): TokenSource | undefined {
    return this.#token;
  }

  set token(source: TokenSource | undefined) {
    this.#token = source;
    this.#plan();
  }

  /**
   * Logs the user out: removes this browser's device at the server and all that is kept here. Resolves with whether the
   * server knows of it; the widgets that showed this user's conversations are empty until they get a `token` again.
   */
  async logOut(): Promise<boolean> {
    const token = this.#token;
    if (token === undefined) return true;
    // What is shown ends before the answer is there.
    const shared = this.#shown?.shared.again() ?? share(this.#server, token);
    try {
      const { client, complete } = await shared.opening;
      await complete();
      return await client.logOut();
    } catch {
      return false;
    } finally {
      if (this.#token === token) this.token = undefined;
      shared.release();
    }
  }

  connectedCallback(): void {
    // A token that was set before this script ran stands in front of the setter.
    if (Object.hasOwn(this, 'token')) {
      const early = this.token;
      Reflect.deleteProperty(this, 'token');
      this.token = early;
    }
    this.#plan();
  }

  disconnectedCallback(): void {
    this.#plan();
  }

  attributeChangedCallback(): void {
    this.#plan();
  }

  get #server(): string {
    return new URL(this.getAttribute('server') ?? location.origin, location.href).origin;
  }

  /** Shows anew once the page has finished what it is doing, however many attributes it sets. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      void this.#show();
    });
  }

  async #show(): Promise<void> {
    this.#hide();
    const conversation = this.getAttribute('conversation');
    const token = this.#token;
    if (!this.isConnected || conversation === null || token === undefined) return;
    const shared = share(this.#server, token);
    const language = languageOf(this.getAttribute('language') ?? navigator.language) ?? 'en';
    await useLanguage(language, { page: false });
    // The page may have changed its mind while the language was loading.
    if (this.#shown !== undefined || !this.isConnected || this.#token !== token) {
      shared.release();
      return;
    }
    const props = {
      opening: shared.opening,
      conversation,
      onfailed: (code: string) => this.dispatchEvent(new CustomEvent('suda-error', { detail: { code } })),
      onloggedout: () => (this.token = undefined),
    };
    const target = this.shadowRoot as ShadowRoot;
    this.#shown = { component: mount(Widget, { target, props }), shared };
  }

  #hide(): void {
    const shown = this.#shown;
    if (shown === undefined) return;
    this.#shown = undefined;
    void unmount(shown.component);
    shown.shared.release();
  }
}

if (customElements.get('suda-chat') === undefined) customElements.define('suda-chat', SudaChat);
