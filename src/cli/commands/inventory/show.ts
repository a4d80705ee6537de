import type { Command } from 'commander';
import { Failure } from '../../../domain/failure.ts';
import { ITEM_DETAILS, isLow, type Item } from '../../../domain/tables.ts';
import { describe } from '../../help.ts';
import { itemEntry } from '../../../documents/write/table.ts';
import type { Column } from '../../output/table.ts';
import { extraColumns, printList, printTable } from '../../output/print-table.ts';
import { nameGiven, takingName } from '../../named.ts';
import { pastOf } from '../../tables/past.ts';
import { takingMoment } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

interface ShowFlags {
  item?: string;
  low?: true;
  sort?: true;
  at?: string;
  timeZone?: string;
}

export function registerShow(inventory: Command, session: Session): void {
  const command = takingName(
    describe(inventory.command('show'), {
      alias: 'list',
      summary: 'show all items, one, or the ones low in stock',
      isTable: true,
      prose:
        'Shows the stock after the last commit, in the order of inventory.csv. With --item, shows only that one; exit ' +
        'code 3 if it does not exist. With --low, shows only items at or below their reorder level (--low-stock for ' +
        'items that have none). With --at, shows the stock as of that time, in the order in which items were added.',
      examples: [['orderctl inventory show --at 1h', 'the stock an hour ago']],
    }),
    '--item',
    'only this item',
  )
    .option('--low', 'only items at or below their reorder level')
    .option('--sort', 'sort by name');
  takingMoment(command, 'the stock').action(async (given: string | undefined, flags: ShowFlags) => {
    await showItems(session, nameGiven('--item', given, flags.item), flags);
  });
}

const CSV_COLUMNS = ['item', 'quantity', ...ITEM_DETAILS.map(({ column }) => column), 'low'];

async function showItems(session: Session, only: string | undefined, flags: ShowFlags): Promise<void> {
  const access = await openStoreOf(session);
  await using reader = await access.read();
  const past = await pastOf(session, reader, flags);
  const all = [...(past === null ? await reader.items() : past.items)];
  const named = only === undefined ? all : all.filter((row) => row.item === only);
  if (only !== undefined && named.length === 0) {
    throw new Failure('not_found', `item ${only} ${past === null ? 'does' : 'did'} not exist`, {
      fix: 'see: orderctl inventory show',
    });
  }
  const lowStock = Number(session.settings.lowStock);
  const items = flags.low ? named.filter((item) => isLow(item, lowStock)) : named;
  if (flags.sort) items.sort((a, b) => (a.item < b.item ? -1 : 1));
  const extra = extraColumns(items);
  const columns = [...CSV_COLUMNS, ...extra.map(({ title }) => title)];
  if (
    await printList(session, {
      key: 'items',
      rows: items,
      entry: (item) => itemEntry(item, lowStock),
      columns,
    })
  )
    return;
  if (items.length === 0) {
    session.printer.info(
      named.length > 0
        ? `no item ${past === null ? 'is' : 'was'} at or below its reorder level`
        : past !== null
          ? 'there were no items'
          : 'no items yet; add one with: orderctl inventory add --item book --quantity 10',
    );
    return;
  }
  const { yellow } = session.printer.dataColours;
  await printTable(session.printer, items, [...itemColumns(items, lowStock, yellow), ...extra]);
}

/** Omits columns of details that no item has. */
function itemColumns(
  items: readonly Item[],
  lowStock: number,
  highlight: (text: string) => string,
): Column<Item>[] {
  const columns: Column<Item>[] = [
    { title: 'ITEM', cell: (row) => row.item },
    { title: 'QUANTITY', align: 'right', cell: (row) => String(row.quantity) },
  ];
  for (const { field, kind, label } of ITEM_DETAILS) {
    if (items.every((row) => row[field] === null)) continue;
    const none = kind === 'price' ? highlight('none') : '';
    const title = label.toUpperCase();
    const cell = (row: Item): string => String(row[field] ?? none);
    columns.push(kind === 'text' ? { title, cell } : { title, align: 'right', cell });
  }
  const hasLevels = items.some((row) => row.reorderLevel !== null);
  if (hasLevels || items.some((row) => isLow(row, lowStock))) {
    columns.push({ title: 'LOW', cell: (row) => (isLow(row, lowStock) ? highlight('low') : '') });
  }
  return columns;
}
