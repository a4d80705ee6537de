import type { AclAction, AclPlan, AclState } from '../../../app/acl/plan.ts';
import type { Acls } from '../../../documents/acl.ts';
import type { AccessRule } from '../../../domain/access/rights.ts';
import type { Column } from '../table.ts';

export const ACL_COLUMNS: readonly Column<AclState>[] = [
  { title: 'PRINCIPAL', cell: ({ rule }) => rule.principal },
  { title: 'MAY', cell: ({ rule }) => mayOf(rule) },
  { title: 'ON', cell: ({ rule }) => placeOf(rule) },
  { title: 'STATE', cell: ({ state }) => state },
];

function mayOf({ operation, permission, host }: AccessRule): string {
  return `${permission === 'deny' ? 'not ' : ''}${operation}${host === '*' ? '' : ` from ${host}`}`;
}

function placeOf({ resource, pattern, name }: AccessRule): string {
  if (resource === 'cluster') return 'cluster';
  return `${resource} ${name}${pattern === 'prefixed' ? '…' : ''}`;
}

export function aclActionLine({ kind, rule }: AclAction): string {
  return `${kind} ${rule.principal}: ${mayOf(rule)} on ${placeOf(rule)}`;
}

export function aclActionDocument({ kind, rule }: AclAction): Acls['actions'][number] {
  return { action: kind, ...rule };
}

export function aclsDocument({ states, actions }: AclPlan): Acls {
  return {
    rules: states.map(({ rule, state }) => ({ ...rule, state })),
    actions: actions.map(aclActionDocument),
  };
}

/** Needed permissions that are denied explicitly, which no action of orderctl changes. */
export function deniedLines({ states }: AclPlan): string[] {
  return states
    .filter(({ state }) => state === 'denied')
    .map(({ rule }) => `${rule.principal} may ${mayOf(rule)} on ${placeOf(rule)}, which is needed`);
}
