// The scripts that the app starts by address: under `require-trusted-types-for` a plain text is refused, and only this policy
// makes an address out of it. The SDK has one of its own for the worker that tabs share.

/** Our own scripts beside the page. */
const OWN: readonly string[] = ['/sw.js'];

/** As much of the browser's trusted types as is used here. */
interface Policies {
  createPolicy(
    name: string,
    rules: { createScriptURL: (path: string) => string },
  ): { createScriptURL: (path: string) => unknown };
}

const policies = (globalThis as { trustedTypes?: Policies }).trustedTypes;
const policy = policies?.createPolicy('suda-scripts', { createScriptURL: (path) => checked(path) });

function checked(path: string): string {
  if (!OWN.includes(path)) throw new TypeError('not a script of ours');
  return path;
}

/** The address of one of our own scripts, as workers want it. */
export function scriptAddress(path: '/sw.js'): string {
  // Where there are trusted types, workers take their object wherever the types of TypeScript say text.
  return (policy?.createScriptURL(path) ?? checked(path)) as string;
}
