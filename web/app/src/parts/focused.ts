// Where the focus is, also in the widget: there the page itself only sees the element that the widget stands in.

/** The focused element of the document or shadow root that `near` stands in; null where it has none. */
export function focusedBeside(near: Node): Element | null {
  return (near.getRootNode() as Document | ShadowRoot).activeElement;
}
