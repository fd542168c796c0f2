/** How large requests are on the wire: one that is larger than the server takes must not be sent. Pure. */

import type { RequestName, Requests } from '../wire.js';

/** Whether a request's frame is larger than `limit` bytes, under whatever id it will be sent. */
export function isFrameBeyond<N extends RequestName>(
  type: N,
  body: Requests[N]['body'],
  limit: number,
): boolean {
  return isTextBeyond(JSON.stringify({ id: Number.MAX_SAFE_INTEGER, type, body }), limit);
}

/** Whether a text has more than `limit` bytes of UTF-8. */
export function isTextBeyond(text: string, limit: number): boolean {
  // Three bytes are the most that a unit of UTF-16 becomes; most texts need not be encoded to see that they fit.
  return text.length * 3 > limit && new TextEncoder().encode(text).length > limit;
}
