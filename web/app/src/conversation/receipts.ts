// How far the others have come, from their marks.
import type { AccountId, MemberState } from '@suda/client';

/** Sequences up to which everybody else has read and received; 0 where somebody has not, or hides it. */
export interface Marks {
  read: number;
  delivered: number;
}

/** The marks that all others share. */
export function sharedMarks(members: readonly MemberState[], me: AccountId): Marks {
  let read = Infinity;
  let delivered = Infinity;
  for (const member of members) {
    if (member.account === me) continue;
    read = Math.min(read, member.read);
    // Whoever has read it has received it.
    delivered = Math.min(delivered, Math.max(member.delivered, member.read));
  }
  return read === Infinity ? { read: 0, delivered: 0 } : { read, delivered };
}

/** The others by how far they are with one message. */
export interface Receipts {
  read: AccountId[];
  delivered: AccountId[];
  neither: AccountId[];
}

/** Who has read and who has received the message with this sequence. */
export function receiptsOf(seq: number, members: readonly MemberState[], me: AccountId): Receipts {
  const receipts: Receipts = { read: [], delivered: [], neither: [] };
  for (const member of members) {
    if (member.account === me) continue;
    const list = member.read >= seq ? 'read' : member.delivered >= seq ? 'delivered' : 'neither';
    receipts[list].push(member.account);
  }
  return receipts;
}
