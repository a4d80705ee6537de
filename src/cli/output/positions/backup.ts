import type { Backup } from '../../../documents/store/backup.ts';
import type { StoreBackup } from '../../../ports/access.ts';
import type { Position } from '../../../ports/store.ts';
import type { Printer } from '../printer.ts';
import type { Column } from '../table.ts';
import { count, size } from '../text.ts';

export async function printCopy(
  printer: Printer,
  { from, to, copy }: { from: string; to: string; copy: StoreBackup },
): Promise<void> {
  const document: Backup = {
    from,
    to,
    files: copy.files,
    size_bytes: copy.sizeBytes,
    store_id: copy.storeId,
    positions: copy.positions.map(({ topic, partition, next }) => ({ topic, partition, next })),
  };
  await printer.data(`${JSON.stringify(document)}\n`);
}

/** `12 files, 3.4 MB` */
export function copyLine({ files, sizeBytes }: StoreBackup): string {
  return `${count(files, 'file')}, ${size(sizeBytes)}`;
}

export const POSITION_COLUMNS: readonly Column<Position>[] = [
  { title: 'TOPIC', cell: ({ topic }) => topic },
  { title: 'PARTITION', align: 'right', cell: ({ partition }) => String(partition) },
  { title: 'OFFSET', align: 'right', cell: ({ next }) => String(next) },
];
