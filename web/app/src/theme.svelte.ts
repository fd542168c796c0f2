// Light, dark, or as the system says; kept in this browser.

/** What can be chosen. */
export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'suda.theme';

let chosen = $state.raw<Theme>('system');

/** The chosen theme; reactive. */
export function theme(): Theme {
  return chosen;
}

/** Takes over what this browser chose before. */
export function restoreTheme(): void {
  const kept = localStorage.getItem(KEPT);
  show(kept === 'light' || kept === 'dark' ? kept : 'system');
}

/** Shows everything in this theme, and remembers it. */
export function chooseTheme(next: Theme): void {
  localStorage.setItem(KEPT, next);
  show(next);
}

function show(next: Theme): void {
  chosen = next;
  if (next === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = next;
}
