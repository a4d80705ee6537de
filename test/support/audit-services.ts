import { audit } from '../../src/app/audit/audit.ts';
import type { Moment } from '../../src/app/history/moment.ts';
import type { Difference } from '../../src/domain/difference.ts';
import type { StoreAccess } from '../../src/ports/access.ts';

/** What tests do not make: edits before rows that stand in the tables from the start, and positions. */
const NOT_MADE = [
  'stock_mismatch',
  'stock_before_mismatch',
  'user_mismatch',
  'item_mismatch',
  'edit_mismatch',
  'position_mismatch',
];

/** What an audit finds of services: in their facts, money, movements and effects. */
export async function differencesOfServices(
  folder: StoreAccess,
  at: Moment | null = null,
): Promise<Difference[]> {
  const options = { topic: null, repair: false, at, onNotice: () => undefined };
  const { differences } = await audit(folder, options);
  return differences.filter(({ kind }) => !NOT_MADE.includes(kind));
}
