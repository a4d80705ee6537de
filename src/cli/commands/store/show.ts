import type { Command } from 'commander';
import { openStoreAdmin } from '../../../compose.ts';
import type { StoreDocument } from '../../../documents/store/store.ts';
import type { StoreAbout } from '../../../ports/whole/store-admin.ts';
import { describe } from '../../help.ts';
import { size } from '../../output/text.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

export function registerShow(noun: Command, session: Session): void {
  describe(noun.command('show'), {
    summary: 'show location, version, size and row counts of the store',
    prose:
      'Shows where the store is, its format version, its size, and the number of rows of each table or log.',
    examples: [['orderctl store show -o json', 'for a script']],
  }).action(async () => {
    const { printer, isJson, settings } = session;
    const admin = await openStoreAdmin(settings);
    const about = await admin.about();
    if (isJson) {
      const { storeId: store_id, sizeBytes: size_bytes, ...others } = about;
      const document: StoreDocument = {
        store: admin.name,
        ...others,
        store_id,
        size_bytes,
        rows: [...about.rows],
      };
      await printer.data(`${JSON.stringify(document)}\n`);
      return;
    }
    await printer.text(`${storeText(admin.name, about)}\n\n`);
    await printTable(printer, about.rows, [
      { title: 'NAME', cell: ({ name }) => name },
      { title: 'ROWS', align: 'right', cell: ({ rows }) => String(rows) },
    ]);
  });
}

function storeText(name: string, { kind, server, storeId, version, newest, sizeBytes }: StoreAbout): string {
  const format = version === newest ? String(version) : `${version} (this version writes ${newest})`;
  return [
    `store    ${name}`,
    `kind     ${kind === 'folder' ? 'folder' : `PostgreSQL ${server ?? ''}`}`,
    `id       ${storeId ?? 'none yet'}`,
    `version  ${format}`,
    `size     ${size(sizeBytes)}`,
  ].join('\n');
}
