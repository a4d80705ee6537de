import { audit } from '../../src/app/audit/audit.ts';
import type { Moment } from '../../src/app/history/moment.ts';
import type { Difference } from '../../src/domain/difference.ts';
import type { StoreAccess } from '../../src/ports/access.ts';

/** Edits before the rows that the tables contain from the start, and positions: tests do not make these. */
const NOT_MADE = [
  'stock_mismatch',
  'stock_before_mismatch',
  'user_mismatch',
  'item_mismatch',
  'edit_mismatch',
  'position_mismatch',
];

/** The findings of an audit about services: in facts, money, movements and effects. */
export async function differencesOfServices(
  folder: StoreAccess,
  at: Moment | null = null,
): Promise<Difference[]> {
  const options = { topic: null, repair: false, at, onNotice: () => undefined };
  const { differences } = await audit(folder, options);
  return differences.filter(({ kind }) => !NOT_MADE.includes(kind));
}
