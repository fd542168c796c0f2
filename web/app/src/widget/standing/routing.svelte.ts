// Stands in for `routing.svelte` in the widget: it has one screen, and never touches the address of the page around it.

/** There is nowhere to go. */
export function go(): void {
  return undefined;
}
