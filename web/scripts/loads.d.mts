/** Types of `loads.mjs`, for tests. */

export interface Load {
  name: string;
  manifest: string;
  page?: string;
  sources: string[];
  languages: string[];
  worker?: RegExp;
  mostKib: number;
}

export const dist: URL;
export const loads: [page: Load, widget: Load];
export function filesOfLoad(load: Load): Promise<string[]>;
