import type { Command } from 'commander';
import type { Reached } from '../../../app/history/moment.ts';
import type { EarlierOrders, ListOrdersOptions } from '../../../app/orders/list.ts';
import type { ListFilter } from '../../../app/orders/filter.ts';
import type { ListedOrder } from '../../../app/orders/listed-order.ts';
import { ORDER_STATUSES } from '../../../domain/checkout/status.ts';
import { Failure } from '../../../domain/failure.ts';
import { PLACING_REASONS, REASONS } from '../../../domain/orders/reasons.ts';
import { openStore, systemClock } from '../../../compose.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe, offering } from '../../help.ts';
import { choice, takingDecisions, timeRange, wholeNumber, type TimeFlags } from '../../parse.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import { printNotice } from '../../output/store-notices.ts';
import { count, LIST_MORE } from '../../output/text.ts';
import { momentGiven, printReached } from '../../tables/past.ts';
import type { Session } from '../../session.ts';
import { BESIDE } from './unknown.ts';

/** Rows without --limit. A pipe has a limit too, as a table is held in memory until its column widths are known. */
const ON_A_TERMINAL = 50;
const IN_A_PIPE = 1_000;
const BEFORE_NEW_ONES = 10;
/** The largest --limit: these rows are held in memory. */
const MOST_ROWS = 100_000;
/** How many earlier orders are counted: reading these takes a few hundredths of a second. */
const COUNT_UP_TO = 1_000;

interface ListFlags extends TimeFlags {
  status?: string;
  reason?: string;
  user?: string;
  item?: string;
  limit?: string;
  last?: string;
  reverse?: true;
  follow?: true;
  at?: string;
}

export function registerList(order: Command, session: Session): void {
  const command = describe(order.command('list'), {
    summary: 'list orders and their outcomes, the latest last',
    isTable: true,
    prose:
      'Lists orders by the time of their decision, the latest last. Orders of the checkout have a status in capitals, ' +
      'and are listed by the time at which they were validated or rejected; their COMPLETED corresponds to accepted in ' +
      'the direct flow. An order must match all filters; --since is inclusive, --until exclusive. --status completed and ' +
      'rejected match orders of both flows, accepted those of the direct flow, the others those of the checkout. Text ' +
      'output has the latest 50 orders (1,000 in a pipe), or --limit. A narrow terminal shortens ids in the middle, ' +
      'which "order show" accepts, and shows the reason, or else the status, as OUTCOME. --follow lists the latest 10, ' +
      'then each new decision and status as it arrives, until Ctrl-C (0). --at lists the orders decided by then. ' +
      BESIDE,
    examples: [
      ['orderctl order list --status rejected --since 2h', 'recently rejected orders'],
      [
        'orderctl order list --since 2026-11-27 --until 2026-11-28 -o csv',
        'the orders of a day, for a spreadsheet',
      ],
    ],
  })
    .addOption(offering('--status <STATUS>', KNOWN_STATUSES.join(', '), KNOWN_STATUSES))
    .addOption(
      offering(
        '--reason <REASON>',
        `rejected or failed for this reason: ${KNOWN_REASONS.join(', ')}`,
        KNOWN_REASONS,
      ),
    );
  takingDecisions(command, 'only the latest N')
    .option('--last <N>', 'the same as --limit')
    .option('--reverse', 'list the latest first')
    .option('--at <TIME|SEQ>', 'as of a time, or of a commit number')
    .option('--follow', 'continue with new decisions as they are made')
    .action(async (flags: ListFlags) => {
      await list(session, flags);
    });
}

async function list(session: Session, flags: ListFlags): Promise<void> {
  const { printer, isJson, isCsv } = session;
  const isTable = !isJson && !isCsv && flags.follow !== true;
  const filter = readFilter(flags);
  const most = isTable ? (printer.isDataLive ? ON_A_TERMINAL : IN_A_PIPE) : Infinity;
  const last = readLast(flags, most);
  const at = momentGiven(flags);
  if (at !== null && flags.reverse === true && last === Infinity) {
    throw new Failure('usage', '--reverse with --at needs a limit, since it holds the list in memory', {
      fix: 'add a limit, such as --limit 1000',
    });
  }
  const reached: Reached = { seq: null, at: null, unnumbered: 0 };
  const { listOrders } = await import('../../../app/orders/list.ts');
  const follow = flags.follow === true ? takeStopSignal(printer, null) : null;
  const rows: ListedOrder[] = [];
  const print = isTable ? null : await printing(session);
  let archived = 0;
  const access = await openStore(session.settings, (notice) => {
    if (notice.kind === 'orders_archived') archived = notice.orders;
    printNotice(printer, notice);
  });
  const earlier = await listOrders(access, {
    filter,
    follow,
    at,
    reached,
    last,
    isReversed: flags.reverse === true,
    countUpTo: isTable ? COUNT_UP_TO : 0,
    onOrders: print ?? (async (orders) => void rows.push(...orders)),
  });
  if (at !== null) printReached(session, reached);
  if (filter.status === 'PENDING') printer.info(ONLY_IN_KAFKA);
  if (!isTable) return;
  if (rows.length > 0) {
    const { NARROW_ORDER_COLUMNS, ORDER_COLUMNS } = await import('../../output/orders/list.ts');
    await printTable(printer, rows, ORDER_COLUMNS, NARROW_ORDER_COLUMNS);
    if (earlier.count > 0 || earlier.isAtLeast) printer.info(earlierLine(earlier));
  } else {
    printer.info(nothingLine(filter, archived));
  }
}

function nothingLine(filter: ListFilter, archived: number): string {
  const isFiltered = Object.values(filter).some((wanted) => wanted !== null);
  if (isFiltered) return 'no order matches these flags';
  return archived === 0 ? 'no orders decided yet' : 'no orders decided after the archived ones';
}

/** A printer for formats that need not hold all orders: each is printed as it arrives. */
async function printing({ printer, isJson, isCsv }: Session): Promise<ListOrdersOptions['onOrders']> {
  const { listedDocument, listedLine, listedRow, ORDER_CSV_COLUMNS } =
    await import('../../output/orders/list.ts');
  if (isCsv) {
    const csv = await openCsv(printer, ORDER_CSV_COLUMNS);
    return (orders) => csv(orders.map(listedRow));
  }
  if (isJson) {
    return (orders) =>
      printer.data(orders.map((order) => `${JSON.stringify(listedDocument(order))}\n`).join(''));
  }
  return (orders) => printer.text(orders.map((order) => `${listedLine(order)}\n`).join(''));
}

/** An unread order leaves no trace in the store. */
const ONLY_IN_KAFKA =
  'orders that no processor has read yet are only in Kafka, and not listed: "orderctl offsets show --processor validation" shows how many';

const KNOWN_REASONS = [...REASONS, ...PLACING_REASONS] as const;
const STATUSES = ['accepted', ...ORDER_STATUSES] as const;
const KNOWN_STATUSES = STATUSES.map((status) => status.toLowerCase());

function readFilter(flags: ListFlags): ListFilter {
  const status = readStatus(flags.status);
  return {
    status,
    reason: readReason(flags.reason, status),
    user: flags.user ?? null,
    item: flags.item ?? null,
    ...timeRange(flags, systemClock.now()),
  };
}

/** Accepts any case: statuses of the checkout are printed in capitals. */
function readStatus(text: string | undefined): ListFilter['status'] {
  if (text === undefined) return null;
  const chosen = choice('--status', text.toLowerCase(), 'a status', KNOWN_STATUSES);
  return STATUSES[KNOWN_STATUSES.indexOf(chosen)] ?? null;
}

function readReason(text: string | undefined, status: ListFilter['status']): string | null {
  if (text === undefined) return null;
  if (status !== null && status !== 'REJECTED' && status !== 'FAILED') {
    const message = `--reason cannot be combined with --status ${status}: only rejected and failed orders have a reason`;
    throw new Failure('usage', message, { fix: 'omit one of them' });
  }
  // The reason of a declined payment is a text of the gateway.
  return status === 'FAILED' ? text : choice('--reason', text, 'a reason', KNOWN_REASONS);
}

/** How many of the latest orders to list. @param most the default */
function readLast(flags: ListFlags, most: number): number {
  const { limit, last, follow = false } = flags;
  for (const [flag, isGiven] of [
    ['--reverse', flags.reverse],
    ['--at', flags.at !== undefined],
    ['--until', flags.until !== undefined],
  ] as const) {
    if (!follow || isGiven !== true) continue;
    throw new Failure('usage', `${flag} and --follow cannot be combined`, {
      fix: 'omit one of them',
    });
  }
  const given = (['limit', 'last'] as const).flatMap((name) => {
    const text = { limit, last }[name];
    return text === undefined
      ? []
      : [wholeNumber(`--${name}`, text, { min: follow ? 0 : 1, max: MOST_ROWS })];
  });
  return given.length > 0 ? Math.min(...given) : follow ? BEFORE_NEW_ONES : most;
}

/** `53 earlier orders are not listed: …` */
function earlierLine({ count: more, isAtLeast }: EarlierOrders): string {
  const what =
    more === 0 ? 'earlier orders' : `${isAtLeast ? 'more than ' : ''}${count(more, 'earlier order')}`;
  return `${what} ${more === 1 ? 'is' : 'are'} not listed: ${LIST_MORE}`;
}
