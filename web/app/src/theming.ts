// The theme as the page carries it; apart from the app, since it shows before the app runs.

/** What can be chosen. */
export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'suda.theme';

/** What this browser chose before. */
export function keptTheme(): Theme {
  const kept = localStorage.getItem(KEPT);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

/** Remembers a choice in this browser. */
export function keepTheme(theme: Theme): void {
  localStorage.setItem(KEPT, theme);
}

/** Shows the page in this theme. */
export function showTheme(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
