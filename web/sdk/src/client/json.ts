/** What apps say in bodies and values, as it travels and is kept: JSON, and nothing else. */

import { Failure } from '../errors.js';

/**
 * A value as JSON has it; `undefined` becomes `null`. Fails with `bad_request` where there is no such thing: the engine,
 * which all tabs share, would otherwise be stopped by what one of them says.
 */
export function asJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value ?? null));
  } catch {
    throw new Failure('bad_request', 'Bodies and values must be JSON.');
  }
}
