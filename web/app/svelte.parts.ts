// What of Svelte's runtime is left out of the builds.
import type { Plugin } from 'vite';

/** Custom elements made by Svelte itself: nothing here is one, yet their module counts as having effects. */
export const withoutCustomElements = {
  moduleSideEffects: [
    { test: /\/svelte\/src\/internal\/client\/dom\/elements\/custom-element\.js$/u, sideEffects: false },
  ],
};

const HYDRATION = /\/svelte\/src\/internal\/client\/dom\/hydration\.js$/u;

/**
 * Says that nothing is ever rendered on a server and taken over in the browser, so that the minifier drops what is only done
 * then. Svelte guards all of it by one variable, which bundlers cannot see to be constant.
 */
export function withoutHydration(): Plugin {
  return {
    name: 'suda:without-hydration',
    apply: 'build',
    transform: {
      filter: { id: HYDRATION },
      handler(code) {
        const constant = code
          .replace('export let hydrating = false;', 'export const hydrating = false;')
          .replace('hydrating = value;', '');
        if (!constant.includes('const hydrating') || constant.includes('= value;'))
          throw new Error('Svelte says in another way whether it hydrates.');
        return constant;
      },
    },
  };
}
