// The offered acts, against the protocol's table of rights.
import type { Role } from '@suda/client';
import { describe, expect, it } from 'vitest';
import { groupRights, memberRights } from './rights';

const ROLES: Role[] = ['member', 'admin', 'owner'];

describe('a group', () => {
  it.each([
    [
      'member',
      { changeSettings: false, addMembers: false, leave: true, mustHandOver: false, dissolve: false },
    ],
    ['admin', { changeSettings: true, addMembers: true, leave: true, mustHandOver: false, dissolve: false }],
    ['owner', { changeSettings: true, addMembers: true, leave: false, mustHandOver: true, dissolve: true }],
  ] as const)('offers to the %s', (role, rights) => {
    expect(groupRights(role, 3, false)).toEqual(rights);
  });
  it('lets its last member go, the owner too', () => {
    expect(groupRights('owner', 1, false)).toMatchObject({
      leave: true,
      mustHandOver: false,
      dissolve: true,
    });
  });
  it.each(ROLES)('offers nothing but leaving to the %s once it is dissolved', (role) => {
    const nothing = { changeSettings: false, addMembers: false, mustHandOver: false, dissolve: false };
    expect(groupRights(role, 3, true)).toEqual({ ...nothing, leave: true });
  });
  it('offers nothing to whoever is no member', () => {
    expect(Object.values(groupRights(undefined, 3, false))).not.toContain(true);
  });
});

describe('a member', () => {
  const offered = (own: Role, theirs: Role): string[] =>
    Object.entries(memberRights(own, theirs, false, false)).flatMap(([name, given]) => (given ? [name] : []));
  it.each([
    ['member', 'member', []],
    ['member', 'admin', []],
    ['member', 'owner', []],
    ['admin', 'member', ['remove']],
    ['admin', 'admin', []],
    ['admin', 'owner', []],
    ['owner', 'member', ['remove', 'promote', 'handOver']],
    ['owner', 'admin', ['remove', 'demote', 'handOver']],
  ] as const)('lets the %s do to the %s: %j', (own, theirs, acts) => {
    expect(offered(own, theirs)).toEqual(acts);
  });
  it.each(ROLES)('never offers the %s anything over itself, or in a dissolved group', (role) => {
    expect(Object.values(memberRights(role, role, true, false))).not.toContain(true);
    expect(Object.values(memberRights(role, 'member', false, true))).not.toContain(true);
  });
});
