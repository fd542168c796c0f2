// What a page runs before the app, built as a script of its own: shows the theme and the glimpse of the list, and starts the
// app as soon as that is on screen. The app takes longer to begin than people take to look.
import { keptTheme, showTheme } from '../theming';
import type { Glimpse, Part } from './glimpse';
import { readGlimpse } from './reading';

/** Where no frame is drawn, as in a tab in the background, the app starts after this pause, in milliseconds. */
const PATIENCE_MILLISECONDS = 100;

const SVG = 'http://www.w3.org/2000/svg';

const page = document.currentScript?.dataset['page'] ?? '';
const glimpse = readGlimpse(localStorage, page);

let isStarted = false;
function start(): void {
  if (!isStarted) void import(/* @vite-ignore */ page);
  isStarted = true;
}

function show({ shell, language, day }: Glimpse): void {
  document.documentElement.lang = language;
  const made = draw(shell, day === new Date().toDateString());
  if (made instanceof Element && location.pathname !== '/') made.classList.add('content-open');
  document.getElementById('app')?.append(made);
  made.addEventListener('click', follow);
}

/** `isToday` says whether the words for times still hold. */
function draw(part: Part, isToday: boolean): Node {
  if (typeof part === 'string') return document.createTextNode(part);
  const [tag, attributes, inside] = part;
  const made = /^(svg|path)$/.test(tag) ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    // The content policy refuses styles that are set as attributes.
    if (name === 'style') made.style.cssText = value;
    else made.setAttribute(name, value);
  }
  if (tag !== 'time' || isToday) made.append(...inside.map((one) => draw(one, isToday)));
  return made;
}

/** The app reads from the address what to show: a row that is pressed before the app is there is opened by it. */
function follow(event: Event): void {
  const link = event.target instanceof Element && event.target.closest('a');
  if (!link || !(event instanceof MouseEvent) || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  history.pushState(null, '', link.href);
  dispatchEvent(new PopStateEvent('popstate'));
}

showTheme(keptTheme());
if (glimpse === undefined) {
  start();
} else {
  show(glimpse);
  requestAnimationFrame(() => setTimeout(start));
  setTimeout(start, PATIENCE_MILLISECONDS);
}
