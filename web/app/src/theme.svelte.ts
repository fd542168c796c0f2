// Light, dark, or as the system says; kept in this browser.
import { keepTheme, keptTheme, showTheme, type Theme } from './theming';

export type { Theme };

let chosen = $state.raw<Theme>('system');

/** The chosen theme; reactive. */
export function theme(): Theme {
  return chosen;
}

/** Takes over what this browser chose before. */
export function restoreTheme(): void {
  show(keptTheme());
}

/** Shows everything in this theme, and remembers it. */
export function chooseTheme(next: Theme): void {
  keepTheme(next);
  show(next);
}

function show(next: Theme): void {
  chosen = next;
  showTheme(next);
}
