// Routes: what is read from a path, and that every path is read back.
import { describe, expect, it } from 'vitest';

import { parse, path, type Route } from './routing.svelte';

const conversation = 'e507be39-fa9f-8268-856b-b29a8e996e27';

describe('routes', () => {
  const routes: Route[] = [
    { page: 'list' },
    { page: 'conversation', conversation },
    { page: 'conversation', conversation, around: 77 },
    { page: 'details', conversation },
    { page: 'new' },
    { page: 'new', group: true },
    { page: 'contacts' },
    { page: 'settings' },
    { page: 'settings', section: 'devices' },
  ];
  it.each(routes)('are read back: %o', (route) => {
    const [pathname, query] = path(route).split('?');
    expect(parse(pathname ?? '', query)).toEqual(route);
  });

  it.each([
    ['/c/nobody', ''],
    ['/c/', ''],
    ['/elsewhere', ''],
    ['//evil.example', ''],
    ['/c/E507BE39-fa9f-8268-856b-b29a8e996e27', ''],
  ])('that do not exist lead to the list: %s', (pathname, query) => {
    expect(parse(pathname, query)).toEqual({ page: 'list' });
  });

  it.each(['m=', 'm=-3', 'm=x', 'm=1.5', 'm=0'])('ignore a message that is no sequence: %s', (query) => {
    expect(parse(`/c/${conversation}`, query)).toEqual({ page: 'conversation', conversation });
  });
});
