// A plugin of the widget's build: takes the styles of all components into the one script, fitted to a shadow root.
import type { Plugin } from 'vite';

/** Pixels of a `rem`: pages set their own, and a widget must not shrink with them. */
const REM_PIXELS = 16;

/** Puts the styles in where the script says `WIDGET_STYLES`, and leaves no style sheet of its own. */
export function inlineStyles(): Plugin {
  return {
    name: 'suda:inline-styles',
    apply: 'build',
    enforce: 'post',
    generateBundle(_, bundle) {
      let styles = '';
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type !== 'asset' || !name.endsWith('.css')) continue;
        styles += String(file.source);
        Reflect.deleteProperty(bundle, name);
      }
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk')
          file.code = file.code.replace('WIDGET_STYLES', () => JSON.stringify(fit(styles)));
      }
    },
  };
}

/** The styles of a page as those of a shadow root: what stood on the page stands on the element. */
function fit(styles: string): string {
  return styles
    .replace(/:root\[data-theme=(['"]?)(\w+)\1\]/g, ':host([theme=$2])')
    .replace(/:root|html,\s*body,\s*#app|(?<=[},])body(?=\{)/g, ':host')
    .replace(/(\d*\.?\d+)rem\b/g, (_, count: string) => `${Number(count) * REM_PIXELS}px`);
}
