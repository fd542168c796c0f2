// Why something failed, in a sentence of the chosen language: the server's refusals by their code, the rest in words of ours.
import { toast } from './parts/toasts.svelte';
import { refusal } from './refusals';
import { t } from './strings/strings.svelte';

/** The code of an error of the SDK; `internal` for anything else. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'internal';
  return typeof error.code === 'string' ? error.code : 'internal';
}

/** What to tell people about an error; reactive in the language. */
export function problem(error: unknown): string {
  return sentenceOf(codeOf(error));
}

/** The sentence for a code of the server or of the SDK; a general one for a code that this version does not know. */
export function sentenceOf(code: string): string {
  const own: Record<string, string> = t().problems;
  return own[code] ?? refusal(code) ?? t().shell.failed;
}

/** Does something, and says in a notice why it failed. Resolves with whether it succeeded. */
export async function attempt(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    toast(problem(error), { kind: 'error' });
    return false;
  }
}
