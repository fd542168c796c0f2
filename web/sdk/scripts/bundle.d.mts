/** The types of `bundle.mjs`. */

/** A file of a bundle. */
export interface Bundled {
  name: string;
  contents: Uint8Array;
}

/** Bundles everything in memory; gives back names and contents by part. */
export function bundle(): Promise<{
  page: Bundled[];
  early: Bundled[];
  worker: Bundled[];
  node: Bundled[];
}>;
