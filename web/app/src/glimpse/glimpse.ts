// A glimpse: the top of the list as it was seen last, kept so that it can be shown before the app runs. It belongs to one
// login, and is nothing to anybody else. This file is loaded with the app; what makes and shows glimpses is not.

/** Whoever is logged in on this browser stands under this name; no two logins have the same mark. */
export const LOGIN = 'suda.entered';

/** A log-out that the server has not heard of stands under this one. */
export const LEAVING = 'suda.leaving';

/** The glimpse itself. */
export const KEPT = 'suda.glimpse';

/** A part of the page: a text, or an element with its attributes and what is in it. */
export type Part =
  string | readonly [tag: string, attributes: Readonly<Record<string, string>>, inside: readonly Part[]];

/** What is kept. */
export interface Glimpse {
  /** The mark of the login that saw it. */
  login: string;
  /** The script of the page that drew it: another version may have other styles. */
  page: string;
  language: string;
  /** The day on which it was seen: times are told in other words the next day. */
  day: string;
  shell: Part;
}

/** Takes away what is shown of it: the app shows the list itself, or has none to show. */
export function dropGlimpse(): void {
  document.querySelector('[data-glimpse]')?.remove();
}

/** Forgets it, so that it does not outlive the login. */
export function forgetGlimpse(): void {
  localStorage.removeItem(KEPT);
}
