import { planAcls, type AclPlan } from '../../../app/acl/plan.ts';
import { principalOf, selectRoles, wantedRights } from '../../../app/acl/wanted.ts';
import type { Right } from '../../../domain/access/rights.ts';
import { Failure } from '../../../domain/failure.ts';
import type { BrokerAdmin } from '../../../ports/broker.ts';
import type { Session } from '../../session.ts';
import { isDatabase } from '../../settings/store-type.ts';

export const WANTED =
  'What is needed follows from the catalogue of messages: a processor reads its topics, with its group, and writes ' +
  'what it sends, with dead letters. The API writes what it takes, and reads unread orders, alerts and dead letters; ' +
  'shops, tills and suppliers write their topics; the operator may do what the commands do, but cannot delete a topic ' +
  'or give rights. On PostgreSQL each process sends whatever waits in the store, so a processor writes all topics ' +
  'that processors write; and Connect writes orders and the topics of its tables, and reads these and ' +
  'inventory_updates. Each role signs in as --principal says.';

export const WHICH_ROLES = 'processors, api, shops, tills, suppliers, connect, operator (default: all)';

/** @param names of roles; none: all @throws Failure usage */
export function rightsOf({ settings }: Session, names: readonly string[]): Right[] {
  const roles = selectRoles(names);
  const { topics, group, events: hasEvents, principal, storage } = settings;
  return wantedRights({ names: topics, group, hasEvents, principal, isShared: isDatabase(storage) }, roles);
}

/** @throws Failure broker_refused: the brokers have no access rules */
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
    `the brokers at ${brokers} have no access rules: everybody may do everything`,
    {
      fix: 'set authorizer.class.name in the settings of the brokers; "npm run kafka -- --secure" has it',
    },
  );
}
