import { Failure } from '../../../domain/failure.ts';
import type { FactLog } from '../../../domain/facts.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreRest, StoreSource } from '../../../ports/whole/store-copy.ts';
import { readList } from '../csv/list-file.ts';
import type { FileSystem } from '../fs.ts';
import { innerFolder } from '../layout.ts';
import { settleCopied } from '../owned.ts';
import { acquire } from '../owner/owner.ts';
import { makeReplacement, placesOf } from './rewrite.ts';
import { replaceFolder } from './replace.ts';
import { readSeal, refuseSealed, writeSeal } from './seal.ts';

/** A folder as the source of a copy. Hand edits are applied first; from then on this process owns it. */
export async function openFolderSource(
  files: FileSystem,
  folder: string,
  clock: Clock,
  to: string,
): Promise<StoreSource> {
  refuseSealed(files, folder, to);
  const seal = readSeal(files, folder);
  // A copy that was interrupted after the seal is continued.
  if (seal === null || seal.why === 'replacing') await settleCopied({ folder, files, clock });
  const ownership = await acquire(innerFolder(folder), { purpose: 'store copy' }, async () => null);
  try {
    const [{ FolderReader }, { FolderInspection }] = await Promise.all([
      import('../reader.ts'),
      import('../inspection.ts'),
    ]);
    const reader = await FolderReader.open(files, folder, clock, () => undefined);
    const inspection = await FolderInspection.open(files, folder, clock, async () => true);
    const { storeId } = reader;
    if (storeId === null)
      throw new Failure('not_found', `${folder} was never used`, { fix: { kind: 'begin_storage' } });
    const logs = (): FactLog<never>[] => [...reader.factLogs()];
    const rest = async (): Promise<StoreRest> => ({
      users: inspection.users(),
      items: inspection.items(),
      positions: inspection.positions(),
      small: reader.smallTables(),
      effects: inspection.effects(),
      unsent: inspection.allUnsent(),
      undelivered: inspection.undelivered(),
      lists: {
        suppliers: readList(files, folder, 'suppliers'),
        reports: readList(files, folder, 'reports'),
      },
    });
    return {
      storeId,
      factLogs: async () => logs(),
      history: () => reader.history(logs()),
      rest,
      async seal(to) {
        await writeSeal(files, folder, { why: 'copied', store: to, storeId });
        return true;
      },
      rewrite: async (rewriting, texts) => {
        const from = { storeId, factLogs: logs(), history: reader.history(logs()), rest: await rest() };
        const csvs = await makeReplacement({ files, folder, clock }, from, rewriting);
        await replaceFolder(files, folder, csvs);
        return placesOf(folder, texts);
      },
      async [Symbol.asyncDispose]() {
        await reader[Symbol.asyncDispose]();
        await inspection[Symbol.asyncDispose]();
        await ownership[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await ownership[Symbol.asyncDispose]();
    throw error;
  }
}
