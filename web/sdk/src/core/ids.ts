/** Ids: UUIDs in their usual form, made or derived. Pure; time and randomness come from outside. */

import { sha256 } from './sha256.js';
import type { AccountId, ClientId, ConversationId } from '../wire.js';

/** A UUIDv7 from a time in milliseconds since 1970 and 10 random bytes. */
export function timeOrderedId(now: number, random: Uint8Array): ClientId {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(now / 2 ** 16));
  view.setUint16(4, now % 2 ** 16);
  bytes.set(random.subarray(0, 10), 6);
  return written(bytes, 7);
}

/** The conversation between two accounts. */
export function directConversation(one: AccountId, other: AccountId): ConversationId {
  const [first, second] = one < other ? [one, other] : [other, one];
  return derived('suda.direct.1', [first, second]);
}

/** The account's own conversation. */
export function ownConversation(account: AccountId): ConversationId {
  return derived('suda.self.1', [account]);
}

/** The group that `creator` makes under `clientId`. */
export function groupConversation(creator: AccountId, clientId: ClientId): ConversationId {
  return derived('suda.group.1', [creator, clientId]);
}

function derived(label: string, ids: readonly string[]): ConversationId {
  const parts = [new TextEncoder().encode(label), ...ids.map(read)];
  const message = new Uint8Array(parts.reduce((length, part) => length + 8 + part.length, 0));
  const view = new DataView(message.buffer);
  let offset = 0;
  for (const part of parts) {
    view.setBigUint64(offset, BigInt(part.length));
    message.set(part, offset + 8);
    offset += 8 + part.length;
  }
  return written(sha256(message).slice(0, 16), 8);
}

function read(id: string): Uint8Array {
  const digits = id.replaceAll('-', '');
  return Uint8Array.from({ length: 16 }, (_, index) => parseInt(digits.slice(index * 2, index * 2 + 2), 16));
}

/** Sets version and variant (RFC 9562) and writes the id down. */
function written(bytes: Uint8Array, version: number): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | (version << 4);
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
