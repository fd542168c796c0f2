// The widget's style sheet: one for all widgets of a page, adopted by their shadow roots, so that no content policy of the
// page has to allow inline styles.

/** All styles of the components, put in by the build (`widget.plugin.ts`). */
declare const WIDGET_STYLES: string;

let sheet: CSSStyleSheet | undefined;

/** The shared style sheet. */
export function styles(): CSSStyleSheet {
  if (sheet === undefined) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(WIDGET_STYLES);
  }
  return sheet;
}
