// What a member of a group may do, as in the protocol's table of rights: nothing is offered that would be refused.
import type { Role } from '@suda/client';

/** What is offered for a group as a whole. */
export interface GroupRights {
  /** Title, history and the time for editing. */
  changeSettings: boolean;
  addMembers: boolean;
  leave: boolean;
  /** The owner of a group with others in it hands it over first. */
  mustHandOver: boolean;
  dissolve: boolean;
}

/** What is offered for one of the members. */
export interface MemberRights {
  remove: boolean;
  /** To admin. */
  promote: boolean;
  /** To member. */
  demote: boolean;
  handOver: boolean;
}

const RANKS: Record<string, number> = { member: 1, admin: 2, owner: 3 };

/** A role's rank; roles of newer servers have none and get no rights here. */
function rank(role: Role | undefined): number {
  return role === undefined ? 0 : (RANKS[role] ?? 0);
}

/** The rights over a group of somebody with `role` in it (none: no member any more). */
export function groupRights(role: Role | undefined, memberCount: number, dissolved: boolean): GroupRights {
  const isOpenAdmin = !dissolved && rank(role) >= 2;
  const isOwner = role === 'owner';
  const mustHandOver = isOwner && !dissolved && memberCount > 1;
  return {
    changeSettings: isOpenAdmin,
    addMembers: isOpenAdmin,
    leave: rank(role) >= 1 && !mustHandOver,
    mustHandOver,
    dissolve: isOwner && !dissolved,
  };
}

/** The rights over another member. Nobody has any over itself: leaving and handing over are said differently. */
export function memberRights(
  own: Role | undefined,
  theirs: Role,
  isSelf: boolean,
  dissolved: boolean,
): MemberRights {
  const isOwner = own === 'owner' && !dissolved && !isSelf;
  return {
    remove: !dissolved && !isSelf && rank(own) >= 2 && rank(theirs) < rank(own),
    promote: isOwner && theirs === 'member',
    demote: isOwner && theirs === 'admin',
    handOver: isOwner,
  };
}
