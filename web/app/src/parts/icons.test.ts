// Which icons the widget has: it shows what a conversation is made of, with fewer shapes than the app.
import { readdirSync, readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { ICONS as CONVERSATION } from './conversationIcons';
import { ICONS } from './icons';

const folder = (path: string): URL => new URL(`../${path}/`, import.meta.url);

it('has every icon that a conversation names', () => {
  const missing: string[] = [];
  for (const at of ['conversation', 'parts', 'widget', 'widget/standing'].map(folder)) {
    // The header is another one in the widget.
    const shared = readdirSync(at).filter((name) => !/^icons|Icons|test/u.test(name) && /\./u.test(name));
    for (const name of shared.filter(
      (one) => !(at.href.endsWith('conversation/') && one === 'Header.svelte'),
    )) {
      const text = readFileSync(new URL(name, at), 'utf8');
      for (const [, icon = ''] of text.matchAll(/\b(?:icon|name)(?:=|: )["'](\w+)["']/gu))
        if (icon in ICONS && !(icon in CONVERSATION)) missing.push(`${name}: ${icon}`);
    }
  }
  expect(missing).toEqual(['PanelFrame.svelte: back']);
});
