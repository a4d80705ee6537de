import type { Command } from 'commander';
import type { Decided } from '../../../domain/orders/decided.ts';
import { systemClock } from '../../../compose.ts';
import { describe } from '../../help.ts';
import { choice, takingDecisions, timeRange, wholeNumber, type TimeFlags } from '../../parse.ts';
import { openCsv } from '../../output/csv.ts';
import { NARROW_ORDER_COLUMNS, ORDER_COLUMNS, orderDocument } from '../../output/order.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { BESIDE } from './unknown.ts';

/** Rows are held until their widths are known. */
const MAX_ROWS = 1_000;

interface ListFlags extends TimeFlags {
  status?: string;
  user?: string;
  item?: string;
  limit?: string;
}

export function registerList(order: Command, session: Session): void {
  const command = describe(order.command('list'), {
    summary: 'list decisions, in the order in which they were made',
    isTable: true,
    prose:
      'Lists decisions, the earliest first. Flags that select go together; --since is inclusive, --until exclusive, ' +
      `both refer to the time of the decision. As text at most 1,000 are listed unless --limit says otherwise; where the ` +
      `terminal is too narrow for all, long ids are shortened in the middle and OUTCOME is accepted or the reason. ${BESIDE}`,
    examples: [
      ['orderctl order list --status rejected', 'what was refused'],
      ['orderctl order list --user bob --since 2026-11-21T00:00:00Z', "a user's orders since that day"],
      ['orderctl order list --item pen -o json', 'one object a line, for a script'],
    ],
  }).option('--status <STATUS>', 'accepted or rejected');
  takingDecisions(command).action(async (flags: ListFlags) => {
    await list(session, flags);
  });
}

const CSV_COLUMNS = [
  ...['order_id', 'status', 'reason', 'detail', 'user', 'user_status', 'items', 'created_at', 'decided_at'],
  ...['topic', 'partition', 'offset'],
];

async function list(session: Session, flags: ListFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  const isText = !isJson && !isCsv;
  const statuses = ['accepted', 'rejected'] as const;
  const status = flags.status === undefined ? null : choice('--status', flags.status, 'a status', statuses);
  const filter = {
    user: flags.user ?? null,
    item: flags.item ?? null,
    ...timeRange(flags, systemClock.now()),
  };
  const unlimited = isText ? MAX_ROWS : Infinity;
  const limit =
    flags.limit === undefined
      ? unlimited
      : wholeNumber('--limit', flags.limit, { min: 1, ...(isText ? { max: 100_000 } : {}) });
  const { listOrders } = await import('../../../app/orders/list.ts');
  const rows: Decided[] = [];
  const csv = isCsv ? await openCsv(printer, CSV_COLUMNS) : null;
  const onOrders = async (orders: readonly Decided[]): Promise<void> => {
    if (csv !== null) await csv(orders.map(orderDocument));
    else if (isText) rows.push(...orders);
    else await printer.data(orders.map((order) => `${JSON.stringify(orderDocument(order))}\n`).join(''));
  };
  const access = await openStoreOf(session);
  const { hasMore } = await listOrders(access, { status, filter, limit, onOrders });
  if (rows.length > 0) await printTable(printer, rows, ORDER_COLUMNS, NARROW_ORDER_COLUMNS);
  if (isText && rows.length === 0) {
    const isFiltered = Object.values({ ...filter, status }).some((wanted) => wanted !== null);
    printer.info(isFiltered ? 'no order was decided that these flags select' : 'no orders decided yet');
  }
  if (isText && hasMore && flags.limit === undefined) {
    printer.info('there are more; --limit, -o csv or -o json lists them');
  }
}
