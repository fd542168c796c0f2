// Which screen is shown: a route is read from the path, so that every screen has an address and the back button works.

/** One screen. */
export type Route =
  | { page: 'list' }
  /** `around` is the sequence of a message to show, from `?m=`. */
  | { page: 'conversation'; conversation: string; around?: number }
  /** Members and settings of a conversation. */
  | { page: 'details'; conversation: string }
  /** Somebody to write to, or with `group` the members of a new group. */
  | { page: 'new'; group?: true }
  | { page: 'contacts' }
  /** `section` is absent for the overview. */
  | { page: 'settings'; section?: string };

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reads a route; paths that are none lead to the list. */
export function parse(path: string, query = ''): Route {
  const [first, second, third] = path.split('/').filter((part) => part !== '');
  if (first === 'c' && second !== undefined && ID.test(second)) {
    if (third === 'details') return { page: 'details', conversation: second };
    const around = Number(new URLSearchParams(query).get('m'));
    if (Number.isSafeInteger(around) && around > 0)
      return { page: 'conversation', conversation: second, around };
    return { page: 'conversation', conversation: second };
  }
  if (first === 'contacts') return { page: first };
  if (first === 'new') return second === 'group' ? { page: 'new', group: true } : { page: 'new' };
  if (first === 'settings')
    return second === undefined ? { page: 'settings' } : { page: 'settings', section: second };
  return { page: 'list' };
}

/** The path of a route; `parse` reads it back. */
export function path(route: Route): string {
  switch (route.page) {
    case 'list':
      return '/';
    case 'conversation':
      return `/c/${route.conversation}${route.around === undefined ? '' : `?m=${route.around}`}`;
    case 'details':
      return `/c/${route.conversation}/details`;
    case 'settings':
      return route.section === undefined ? '/settings' : `/settings/${route.section}`;
    case 'new':
      return route.group === true ? '/new/group' : '/new';
    case 'contacts':
      return '/contacts';
  }
}

let current = $state.raw<Route>({ page: 'list' });

/** The screen that is shown; reactive. */
export function route(): Route {
  return current;
}

/** Goes to a screen. With `replace` the present one is not kept for the back button. */
export function go(to: Route, options: { replace?: boolean } = {}): void {
  const target = path(to);
  if (target === location.pathname + location.search) return;
  if (options.replace === true) history.replaceState(null, '', target);
  else history.pushState({ depth: depth() + 1 }, '', target);
  current = to;
}

/** Goes to a path of the app, such as one of a notification. */
export function openPath(target: string): void {
  const [pathname = '/', query] = target.split('?');
  go(parse(pathname, query));
}

/** Goes back within the app; to `fallback` where the app was opened at this screen. */
export function back(fallback: Route = { page: 'list' }): void {
  if (depth() > 0) history.back();
  else go(fallback, { replace: true });
}

/** Follows the address from now on; returns how to stop. */
export function followAddress(): () => void {
  const read = (): void => {
    current = parse(location.pathname, location.search);
  };
  read();
  addEventListener('popstate', read);
  return () => removeEventListener('popstate', read);
}

/** How many screens of the app lie behind this one. */
function depth(): number {
  const state: unknown = history.state;
  if (typeof state !== 'object' || state === null || !('depth' in state)) return 0;
  return typeof state.depth === 'number' ? state.depth : 0;
}

/** For links: a plain click stays within the app, a click with a modifier does what the browser does. */
export function follow(event: MouseEvent, to: Route): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(to);
}
