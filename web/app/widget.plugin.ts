// A plugin of the widget's build: takes the styles of all components into the one script, fitted to a shadow root.
import { fileURLToPath } from 'node:url';
import type { Plugin, Rolldown } from 'vite';

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, import.meta.url));

/** What the widget has of its own in place of the app's. */
const STAND_INS = new Map([
  [source('strings/strings.svelte.ts'), source('widget/standing/strings.svelte.ts')],
  [source('chat.ts'), source('widget/standing/chat.ts')],
  [source('parts/icons.ts'), source('parts/conversationIcons.ts')],
  [source('routing.svelte.ts'), source('widget/standing/routing.svelte.ts')],
  [source('conversation/Header.svelte'), source('widget/standing/Header.svelte')],
]);

/** Takes the widget's own modules where the shared components ask for those of the whole app. */
export function standIns(): Plugin {
  return {
    name: 'suda:stand-ins',
    apply: 'build',
    enforce: 'pre',
    async resolveId(asked, importer, options) {
      const found = await this.resolve(asked, importer, { ...options, skipSelf: true });
      return found === null ? null : (STAND_INS.get(found.id) ?? found);
    },
  };
}

/** What Vite wraps imports in to load their styles first; here they have none of their own. */
const PRELOAD = '\0vite/preload-helper.js';

/** Leaves imports of what comes later as they are. */
export function plainImports(): Plugin {
  return {
    name: 'suda:plain-imports',
    apply: 'build',
    enforce: 'pre',
    load: (id) => (id === PRELOAD ? 'export const __vitePreload = (load) => load();' : undefined),
  };
}

/** Pixels of a `rem`: pages set their own, and a widget must not shrink with them. */
const REM_PIXELS = 16;

/** Puts the styles in where the script says `WIDGET_STYLES`, and leaves no style sheet of its own. */
export function inlineStyles(): Plugin {
  return {
    name: 'suda:inline-styles',
    apply: 'build',
    enforce: 'post',
    generateBundle: { order: 'post', handler: (_, bundle) => takeIn(bundle) },
  };
}

function takeIn(bundle: Rolldown.OutputBundle): void {
  let styles = '';
  for (const [name, file] of Object.entries(bundle)) {
    if (file.type !== 'asset' || !name.endsWith('.css')) continue;
    styles += String(file.source);
    Reflect.deleteProperty(bundle, name);
  }
  if (styles === '') throw new Error('The widget has no styles.');
  for (const file of Object.values(bundle)) {
    if (file.type === 'chunk')
      file.code = file.code.replace('WIDGET_STYLES', () => JSON.stringify(fit(styles)));
  }
}

/** The styles of a page as those of a shadow root: what stood on the page stands on the element. */
function fit(styles: string): string {
  return styles
    .replace(/:root\[data-theme=(['"]?)(\w+)\1\]/g, ':host([theme=$2])')
    .replace(/:root|html,\s*body,\s*#app|(?<=[},])body(?=\{)/g, ':host')
    .replace(/(\d*\.?\d+)rem\b/g, (_, count: string) => `${Number(count) * REM_PIXELS}px`);
}
