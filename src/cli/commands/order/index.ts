import type { Command } from 'commander';
import type { ScanPorts } from '../../../app/orders/explain.ts';
import type { Decided } from '../../../domain/orders/decide.ts';
import { Failure } from '../../../domain/failure.ts';
import { openStore } from '../../../compose.ts';
import { describe } from '../../help.ts';
import { choice, nameOf, timeRange, wholeNumber } from '../../parse.ts';
import { explainDocument, explainText, ORDER_COLUMNS, orderDocument, orderText } from '../../output/order.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

const BESIDE = 'Answered from the files, beside a running consumer too.';
/** Rows are held until their widths are known. */
const MAX_ROWS = 1_000;

export function register(program: Command, session: Session): void {
  const order = describe(program.command('order'), {
    summary: 'what became of orders, and why',
    prose: 'Shows, lists and explains the decisions that were made. Each order id is decided once, for good.',
    examples: [
      ['orderctl order list --status rejected --limit 20', 'what was refused'],
      ['orderctl order explain ORD-8', 'why, and what can be done now'],
    ],
  });
  registerShow(order, session);
  registerList(order, session);
  registerExplain(order, session);
}

function registerShow(order: Command, session: Session): void {
  describe(order.command('show'), {
    summary: 'show the decision of one order',
    prose:
      'Shows the decision of an order: accepted, or rejected and why; the status of its user and the stock on hand ' +
      `that it was decided on; and its record. ${BESIDE} Exit code 3 when the id is not decided.`,
    examples: [
      ['orderctl order show ORD-7', 'one order'],
      ['orderctl order show ORD-7 -o json | jq .status', 'for a script'],
    ],
  })
    .argument('<ID>', 'order id')
    .action(async (text: string) => {
      const id = nameOf('ID', text);
      const access = await openStore(session.settings.storage);
      await using reader = await access.read();
      const decided = await reader.decided(id);
      if (decided === undefined) throw unknownOrder(id, access.name, false);
      const { printer, isJson } = session;
      await printer.data(isJson ? `${JSON.stringify(orderDocument(decided))}\n` : orderText(decided));
    });
}

interface ListFlags {
  status?: string;
  user?: string;
  item?: string;
  since?: string;
  until?: string;
  limit?: string;
}

function registerList(order: Command, session: Session): void {
  describe(order.command('list'), {
    summary: 'list decisions, in the order in which they were made',
    prose:
      'Lists decisions, the earliest first. Flags that select go together; --since is inclusive, --until exclusive, ' +
      `both refer to the time of the decision. As text at most 1,000 are listed unless --limit says otherwise. ${BESIDE}`,
    examples: [
      ['orderctl order list --status rejected', 'what was refused'],
      ['orderctl order list --user bob --since 2026-11-21T00:00:00Z', "a user's orders since that day"],
      ['orderctl order list --item pen -o json', 'one object a line, for a script'],
    ],
  })
    .option('--status <STATUS>', 'accepted or rejected')
    .option('--user <NAME>', 'only orders of this user')
    .option('--item <NAME>', 'only orders with this item')
    .option('--since <TIME>', 'decided at or after this time')
    .option('--until <TIME>', 'decided before this time')
    .option('--limit <N>', 'at most so many')
    .action(async (flags: ListFlags) => {
      await list(session, flags);
    });
}

async function list(session: Session, flags: ListFlags): Promise<void> {
  const { settings, printer, isJson } = session;
  const statuses = ['accepted', 'rejected'] as const;
  const status = flags.status === undefined ? null : choice('--status', flags.status, 'a status', statuses);
  const filter = { user: flags.user ?? null, item: flags.item ?? null, ...timeRange(flags) };
  const unlimited = isJson ? Infinity : MAX_ROWS;
  const limit =
    flags.limit === undefined
      ? unlimited
      : wholeNumber('--limit', flags.limit, { min: 1, ...(isJson ? {} : { max: 100_000 }) });
  const { listOrders } = await import('../../../app/orders/list.ts');
  const rows: Decided[] = [];
  const onOrders = async (orders: readonly Decided[]): Promise<void> => {
    if (!isJson) rows.push(...orders);
    else await printer.data(orders.map((order) => `${JSON.stringify(orderDocument(order))}\n`).join(''));
  };
  const access = await openStore(settings.storage);
  const { hasMore } = await listOrders(access, { status, filter, limit, onOrders });
  if (rows.length > 0) await printTable(printer, rows, ORDER_COLUMNS);
  if (!isJson && rows.length === 0) {
    const isFiltered = Object.values({ ...filter, status }).some((wanted) => wanted !== null);
    printer.info(isFiltered ? 'no order was decided that these flags select' : 'no orders decided yet');
  }
  if (!isJson && hasMore && flags.limit === undefined) {
    printer.info('there are more; --limit, or -o json, lists them');
  }
}

function registerExplain(order: Command, session: Session): void {
  describe(order.command('explain'), {
    summary: 'explain the decision of one order',
    prose:
      'Says why an order was decided as it was, on which stock and status, on which record, and what can be done now ' +
      'with what that would come to. --scan also reads the topic to its end for every record with that id, and says ' +
      'which of them decided, which were duplicates or conflicts, and which are not read yet. ' +
      `${BESIDE} Exit code 3 when the id is not known.`,
    examples: [
      ['orderctl order explain ORD-8', 'why it was rejected'],
      ['orderctl order explain ORD-8 --scan', 'and every record of it in the topic'],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--scan', 'search the topic too')
    .action(async (text: string, flags: { scan?: true }) => {
      const id = nameOf('ID', text);
      const { printer, isJson, settings } = session;
      const { explainOrder } = await import('../../../app/orders/explain.ts');
      const access = await openStore(settings.storage);
      const scan = flags.scan === true ? await scanPorts(session) : null;
      const explained = await explainOrder(access, id, scan);
      if (explained === undefined) throw unknownOrder(id, access.name, scan !== null);
      const rephrase = (step: string): string => printer.rephrased(step);
      const document = isJson ? explainDocument(explained, rephrase) : null;
      await printer.data(
        document === null ? explainText(explained, rephrase) : `${JSON.stringify(document)}\n`,
      );
    });
}

async function scanPorts(session: Session): Promise<ScanPorts> {
  const { topic } = session.settings;
  const { openKafka } = await import('../../kafka/open.ts');
  const { broker, codec } = await openKafka(session, { topic, register: false });
  return { broker, codec, topic };
}

function unknownOrder(id: string, folder: string, scanned: boolean): Failure {
  const where = scanned ? `${folder} and not in the topic` : folder;
  return new Failure('not_found', `order ${id} is not decided in ${where}`, {
    fix: scanned
      ? 'check the id, --topic and --storage; "orderctl dlq list" shows records that could not be read'
      : `to look for it in the topic, where it may wait to be read: orderctl order explain ${id} --scan`,
    context: { orderId: id },
  });
}
