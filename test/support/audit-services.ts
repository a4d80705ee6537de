import { audit } from '../../src/app/audit/audit.ts';
import type { Difference } from '../../src/domain/difference.ts';
import type { StoreAccess } from '../../src/ports/access.ts';

/** What tests do not make by edits: rows that stand in the tables from the start. */
const OF_TABLES = ['stock_mismatch', 'user_mismatch', 'item_mismatch', 'edit_mismatch'];

/** What an audit finds of services: in their facts, money, movements and effects. */
export async function differencesOfServices(folder: StoreAccess): Promise<Difference[]> {
  const options = { topic: null, repair: false, onNotice: () => undefined };
  const { differences } = await audit(folder, options);
  return differences.filter(({ kind }) => !OF_TABLES.includes(kind));
}
