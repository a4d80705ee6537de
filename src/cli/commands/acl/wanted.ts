import { planAcls, type AclPlan } from '../../../app/acl/plan.ts';
import { principalOf, selectRoles, wantedRights } from '../../../app/acl/wanted.ts';
import type { Right } from '../../../domain/access/rights.ts';
import { Failure } from '../../../domain/failure.ts';
import type { BrokerAdmin } from '../../../ports/broker.ts';
import type { Session } from '../../session.ts';
import { isDatabase } from '../../settings/store-type.ts';

export const WANTED =
  'The needed rules follow from the message catalogue. A processor reads its topics, with its group, and writes its ' +
  'messages and dead letters. The API writes the orders and requests that it accepts, and reads unread orders, alerts ' +
  'and dead letters. Shops, tills and suppliers write their topics. The operator may run all commands, but not delete ' +
  'topics or grant rights. On PostgreSQL any processor may send any pending message, so each may write the topics of ' +
  'all processors; and Connect writes orders and the topics of its tables, and reads these and inventory_updates. ' +
  '--principal sets the principal of each role.';

export const WHICH_ROLES = 'processors, api, shops, tills, suppliers, connect, operator (default: all)';

/** @param names of roles; empty: all @throws Failure usage */
export function rightsOf({ settings }: Session, names: readonly string[]): Right[] {
  const roles = selectRoles(names);
  const { topics, group, events: hasEvents, principal, storage } = settings;
  return wantedRights({ names: topics, group, hasEvents, principal, isShared: isDatabase(storage) }, roles);
}

/** @throws Failure broker_refused: the brokers do not use access rules */
export async function planWanted(
  admin: BrokerAdmin,
  session: Session,
  names: readonly string[],
  removeExtra: boolean,
): Promise<AclPlan> {
  const elsewhere = rightsOf(session, []);
  const principals = selectRoles(names).map((role) => principalOf(role, session.settings));
  const wanted = rightsOf(session, names);
  const plan = await planAcls(admin, wanted, { removeExtra, principals, elsewhere });
  if (plan !== null) return plan;
  const { brokers } = session.settings;
  throw new Failure(
    'broker_refused',
    `the brokers at ${brokers} have no access rules: every client may do everything`,
    {
      fix: 'set authorizer.class.name in the broker configuration, as "npm run kafka -- --secure" does',
    },
  );
}
