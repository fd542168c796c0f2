// Keeps a glimpse of the list while the app runs. Loaded when there is nothing better to do.
import { KEPT, LOGIN, type Glimpse, type Part } from './glimpse';

/** What changes within this time is kept together, in milliseconds. */
const PAUSE_MILLISECONDS = 3_000;

/** The longest that is kept, in UTF-16 units: some dozen rows are a quarter of it. */
const MOST_UNITS = 100_000;

/** What the look of an element depends on, and where a link leads. */
const ATTRIBUTES = [
  ...['class', 'style', 'href', 'dir', 'type', 'placeholder', 'aria-label', 'aria-hidden', 'width', 'height'],
  ...['viewBox', 'fill', 'stroke', 'stroke-width', 'stroke-linecap', 'stroke-linejoin', 'd'],
];

/** What says how things stand at this moment carries this attribute: it is not shown again. */
const PASSING = 'data-passing';

/** The list's element: the rest can do nothing before the app is there. */
const LIST = 'data-rows';

/** Keeps what a login saw, unless that is over or another one's by now. */
export function keepGlimpse(storage: Pick<Storage, 'getItem' | 'setItem'>, glimpse: Glimpse): void {
  if (storage.getItem(LOGIN) !== glimpse.login) return;
  const text = JSON.stringify(glimpse);
  if (text.length > MOST_UNITS) return;
  try {
    storage.setItem(KEPT, text);
  } catch {
    // A full storage has no room for what is only a convenience.
  }
}

/**
 * Keeps what the side with the list shows, from now on, as long as `isWhole` says that it is the top of the whole list;
 * returns how to stop. `login` is the mark of the login that sees it.
 */
export function keepSeen(side: HTMLElement, login: string, isWhole: () => boolean): () => void {
  // There is none while somebody works on the app.
  const page = document.querySelector<HTMLElement>('script[data-page]')?.dataset['page'];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const take = (): void => {
    clearTimeout(timer);
    timer = undefined;
    // What is out of view has no rows.
    if (page === undefined || side.clientHeight === 0 || !isWhole()) return;
    const [language, day] = [document.documentElement.lang, new Date().toDateString()];
    keepGlimpse(localStorage, { login, page, language, day, shell: shellOf(side) });
  };
  const changed = (): void => void (timer ??= setTimeout(take, PAUSE_MILLISECONDS));
  const left = (): void =>
    timer !== undefined && document.visibilityState === 'hidden' ? take() : undefined;
  const observer = new MutationObserver(changed);
  observer.observe(side, { subtree: true, childList: true, characterData: true, attributes: true });
  document.addEventListener('visibilitychange', left);
  take();
  return () => {
    clearTimeout(timer);
    observer.disconnect();
    document.removeEventListener('visibilitychange', left);
  };
}

/** The frame with that side; the other one is empty. */
function shellOf(side: HTMLElement): Part {
  const { className } = side.parentElement as HTMLElement;
  const classes = className.replace('content-open', '');
  const children = [...side.children].filter((child) => !child.hasAttribute(PASSING));
  const inside = children.map((child) => partOf(child, child.hasAttribute(LIST) ? {} : { inert: '' }));
  const main = side.nextElementSibling?.className ?? '';
  return [
    'div',
    { class: classes, 'data-glimpse': '' },
    [
      ['section', attributesOf(side), inside],
      ['main', { class: main }, []],
    ],
  ];
}

function partOf(element: Element, more: Readonly<Record<string, string>> = {}): Part {
  const inside: Part[] = [];
  for (const child of element.childNodes) {
    if (child instanceof Text && child.data !== '') inside.push(child.data);
    else if (child instanceof Element && isLasting(child)) inside.push(partOf(child));
  }
  return [element.localName, { ...attributesOf(element), ...more }, inside];
}

/** Whether it is worth showing again; rows below the window are not, and would only delay those above. */
function isLasting(element: Element): boolean {
  if (element.hasAttribute(PASSING)) return false;
  return element.localName !== 'li' || element.getBoundingClientRect().top < innerHeight;
}

function attributesOf(element: Element): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES) {
    const value = element.getAttribute(name);
    if (value !== null) attributes[name] = value;
  }
  // Another conversation may be open the next time.
  if (element.hasAttribute('aria-current')) attributes['class'] = element.className.replace('current', '');
  return attributes;
}
