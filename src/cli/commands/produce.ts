import type { Command } from 'commander';
import { checkPrices, withPrices, type Catalogue } from '../../app/send/checkout-order.ts';
import { checkLines, ordersFromLines } from '../../app/send/orders-from-lines.ts';
import { produceOrders, sampleOrders, seededRandom, type Numbered } from '../../app/send/produce.ts';
import { openIds, openLineIds, systemClock } from '../../compose.ts';
import type { ProduceAgain } from '../../domain/advice.ts';
import { Failure } from '../../domain/failure.ts';
import type { Order } from '../../domain/orders/order.ts';
import { takeStopSignal } from '../exit.ts';
import { describe, offering } from '../help.ts';
import { FLOWS, openCatalogue, openFlow, readPrices } from '../kafka/flow.ts';
import { decimalNumber, delay, wholeNumber } from '../parse.ts';
import { readOrder } from '../produce/order.ts';
import { SendReport } from '../output/send/report.ts';
import { count } from '../output/text.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';
import { collect } from '../usage.ts';
import { WholeFile } from '../input/whole-file.ts';

const DEFAULT_COUNT = 5;
const ENDLESS_DELAY_MS = 1_000;
const MAX_SEED = 2 ** 32 - 1;

interface Flags {
  count?: string;
  delay?: string;
  rate?: string;
  seed?: string;
  from?: string;
  orderId?: string;
  fromLine?: string;
  user?: string;
  item?: string[];
  quantity?: string[];
  file?: string;
  flow: string;
  address?: string;
  source?: string;
  faulty?: string;
  storeId?: string;
  supplierId?: string;
  /** Commander's negations. */
  create: boolean;
  register: boolean;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Sends orders as Avro: five samples with random users (also unpaid ones) and items; with --user, --item and ' +
      '--quantity that one order, even if it will be rejected; with --file the orders of an NDJSON file, which is ' +
      'checked first (6). A missing id is derived from content and line; prices are those of the items. --flow checkout ' +
      'sends to orders.created, with addresses from the tables (3 without a price). --source sends stock events for ' +
      'random items, or for --item; with --count 0 also deliveries of items that are low.\n\n' +
      'Exit codes: 130 Ctrl-C (0 with --count 0), 5 no broker, 3 no users or items.',
    examples: [
      ['orderctl produce --user bob --item pen=2 --item book=1', 'send exactly this order'],
      ['orderctl produce --source store --store-id S1 --item pen=2', 'send a sale at a till'],
    ],
  })
    .option('--count <N>', `how many; 0: until stopped (default ${DEFAULT_COUNT})`)
    .option('--delay <SECONDS>', 'pause, also 100ms (default 0; 1 with --count 0)')
    .option('--rate <N>', 'orders per second, if the brokers keep up')
    .option('--seed <N>', 'send reproducible orders and ids')
    .option('--from <N>', 'with --seed: start with the Nth of these orders')
    .option('--user <NAME>', 'send one order, of this user')
    .option('--item <NAME>', 'item of a line, also pen=2; repeatable', collect)
    .option('--quantity <N>', 'quantity of the preceding --item', collect)
    .option('--order-id <ID>', 'id of the order or event (default: a new one)')
    .option('--file <FILE>', 'send orders from NDJSON; - is stdin')
    .option('--from-line <N>', 'start with this line of the file')
    .addOption(offering('--flow <FLOW>', 'direct or checkout', FLOWS).default('direct'))
    .option('--address <TEXT>', 'checkout: address of the one order')
    .addOption(offering('--source <NAME>', 'send events of online, store, supplier or all', 'event_sources'))
    .option('--store-id <ID>', 'with --source store --item: the store')
    .option('--supplier-id <ID>', 'with --source supplier --item: the supplier')
    .option('--faulty <PERCENT>', 'with --source: duplicates, and invalid events')
    .option('--no-register', 'do not register the schema')
    .option('--no-create', 'do not create a missing topic')
    .action(async (flags: Flags) => {
      if (flags.source === undefined) await produce(session, flags);
      else await produceFromSources(session, { ...flags, source: flags.source });
    });
}

type Prices = Pick<Catalogue, 'prices'>;

/** The orders to send, and what reports need to know about them. */
interface Plan {
  readonly orders: AsyncIterable<Numbered> | Iterable<Numbered>;
  /** null: unlimited. */
  readonly count: number | null;
  readonly resume: ProduceAgain['resume'];
}

async function produce(session: Session, flags: Flags): Promise<void> {
  const { printer } = session;
  refuseMixtures(flags);
  const [event] = EVENT_FLAGS.filter((name) => flags[name] !== undefined);
  if (event !== undefined)
    throw new Failure('usage', `${flagOf(event)} is only for events`, { fix: 'add --source' });
  const pace = paceOf(flags);
  const signal = takeStopSignal(printer);
  await using file = await openFile(session, flags, signal);
  const catalogue = await openCatalogue(session, flags);
  const plan =
    file === null
      ? await planOrders(session, flags, catalogue)
      : await planFile(session, catalogue, flags, file, signal);
  const kafka = await openFlow(session, catalogue, flags);
  const report = await SendReport.open(session, 'produce', plan.count);
  try {
    await produceOrders(
      { ...kafka, clock: systemClock },
      { ...kafka, ...plan, ...pace, create: flags.create, signal, on: (event) => report.take(event) },
    );
  } finally {
    report.close();
  }
}

async function produceFromSources(session: Session, flags: Flags & { source: string }): Promise<void> {
  const isGiven = flags.item !== undefined || flags.quantity !== undefined;
  const [other] = [
    ...ORDER_FLAGS.filter((name) => name === 'user' || name === 'address'),
    ...FILE_FLAGS,
    'from' as const,
    ...(isGiven ? (['count', 'seed', 'faulty'] as const) : []),
  ].filter((name) => flags[name] !== undefined);
  if (other !== undefined) throw mixed(isGiven ? '--item' : '--source', flagOf(other));
  const wanted = flags.count === undefined ? DEFAULT_COUNT : wholeNumber('--count', flags.count);
  const { produceEvents } = await import('../produce/sources.ts');
  await produceEvents(session, {
    ...flags,
    seed: flags.seed === undefined ? null : wholeNumber('--seed', flags.seed, { max: MAX_SEED }),
    count: wanted === 0 ? null : wanted,
    pace: paceOf(flags),
  });
}

function flagOf(name: keyof Flags): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function mixed(one: string, other: string): Failure {
  return new Failure('usage', `${one} and ${other} cannot be combined`, {
    fix: 'use --count and --seed for samples, or --user, --item and --quantity for one order, or --file',
  });
}

function paceOf(flags: Flags): { delayMs: number; perSecond: number | null } {
  if (flags.delay !== undefined && flags.rate !== undefined) {
    throw new Failure('usage', '--delay and --rate cannot be combined', { fix: 'use one of them' });
  }
  if (flags.rate !== undefined) return { delayMs: 0, perSecond: decimalNumber('--rate', flags.rate) };
  const delayMs = flags.delay === undefined ? null : delay('--delay', flags.delay);
  const isEndless = flags.count !== undefined && /^0+$/.test(flags.count);
  return { delayMs: delayMs ?? (isEndless ? ENDLESS_DELAY_MS : 0), perSecond: null };
}

const SAMPLE_FLAGS = ['seed', 'from'] as const;
const ORDER_FLAGS = ['user', 'item', 'quantity', 'orderId', 'address'] as const;
const FILE_FLAGS = ['file', 'fromLine'] as const;
const EVENT_FLAGS = ['faulty', 'storeId', 'supplierId'] as const;

function refuseMixtures(flags: Flags): void {
  const given = (names: readonly (keyof Flags)[]): string | undefined => {
    const name = names.find((candidate) => flags[candidate] !== undefined);
    return name === undefined ? undefined : flagOf(name);
  };
  const [sample, order, file] = [given(SAMPLE_FLAGS), given(ORDER_FLAGS), given(FILE_FLAGS)];
  const both = [order, file, sample ?? (file === undefined ? undefined : given(['count']))].filter(
    (flag) => flag !== undefined,
  );
  if (flags.count !== undefined && flags.orderId !== undefined && flags.count !== '1') {
    throw new Failure(
      'usage',
      '--order-id and --count cannot be combined: orders with the same id are duplicates',
      {
        fix: 'omit one of them',
      },
    );
  }
  if (both.length > 1) {
    throw mixed(both[0] ?? '', both[1] ?? '');
  }
}

async function openFile(session: Session, flags: Flags, signal: AbortSignal): Promise<WholeFile | null> {
  if (flags.file === undefined) {
    if (flags.fromLine === undefined) return null;
    throw new Failure('usage', '--from-line needs a file', { fix: 'name the file with --file' });
  }
  try {
    const about = { flag: '--file', what: 'one JSON object per line' };
    return await WholeFile.open(flags.file, about, session, signal);
  } catch (error) {
    throw signal.aborted ? stoppedBefore() : error;
  }
}

async function planFile(
  session: Session,
  catalogue: Catalogue | null,
  flags: Flags,
  file: WholeFile,
  signal: AbortSignal,
): Promise<Plan> {
  const { printer } = session;
  const from = flags.fromLine === undefined ? 1 : wholeNumber('--from-line', flags.fromLine, { min: 1 });
  const checked = { from, clock: systemClock, signal, catalogue };
  const found = await checkLines(file.lines(signal), file.name, checked);
  if (signal.aborted) throw stoppedBefore();
  let idOf: (line: number) => string = () => '';
  if (found.withoutId > 0) {
    const newId = await openLineIds(await file.sha256());
    idOf = (line) => `ORD-${newId(line)}`;
    printer.info(
      `${count(found.withoutId, 'line')} without order_id: their ids are derived from the content of the file, so sending the same content again makes duplicates; for new orders, add an order_id`,
    );
  }
  const hasMore = catalogue !== null;
  const orders = ordersFromLines(file.lines(signal), file.name, { clock: systemClock, idOf, hasMore });
  const prices = catalogue ?? (await readPrices(session));
  return { orders: onwards(orders, from, prices), count: found.orders, resume: 'from_line' };
}

async function* onwards(
  orders: AsyncIterable<Numbered>,
  from: number,
  prices: Prices,
): AsyncGenerator<Numbered> {
  for await (const { number, order } of orders) {
    if (number >= from) yield { number, order: withPrices(order, prices) };
  }
}

function stoppedBefore(): Failure {
  return new Failure('interrupted', 'interrupted while checking the orders; nothing was sent', {
    fix: 'run the same command again',
  });
}

async function planOrders(session: Session, flags: Flags, catalogue: Catalogue | null): Promise<Plan> {
  if (
    flags.user !== undefined ||
    flags.item !== undefined ||
    flags.quantity !== undefined ||
    flags.orderId !== undefined
  ) {
    const newId = await orderIds();
    const total = flags.count === undefined ? 1 : wholeNumber('--count', flags.count);
    const given = readOrder(flags, newId);
    if (catalogue !== null) checkPrices(given, catalogue);
    const order = withPrices(given, catalogue ?? (await readPrices(session)));
    if (total === 1) return { orders: [{ order, number: 1 }], count: 1, resume: 'order_id' };
    return { orders: copies(order, newId, total), count: total === 0 ? null : total, resume: 'count' };
  }
  const wanted = flags.count === undefined ? DEFAULT_COUNT : wholeNumber('--count', flags.count);
  const total = wanted === 0 ? null : wanted;
  const seed = flags.seed === undefined ? null : wholeNumber('--seed', flags.seed, { max: MAX_SEED });
  const from = flags.from === undefined ? 1 : wholeNumber('--from', flags.from, { min: 1 });
  if (flags.from !== undefined && seed === null) {
    throw new Failure('usage', '--from needs --seed', {
      fix: 'add --seed N, with the number of the run to continue',
    });
  }
  if (total !== null && from > total) {
    throw new Failure('invalid_value', `--from ${from} is greater than --count ${total}`, {
      fix: `use a number up to ${total}, or a larger --count`,
    });
  }
  const orders = await sampleOrders(await openStoreOf(session), {
    count: total,
    from,
    random: seed === null ? Math.random : seededRandom(seed),
    newOrderId: await orderIds(seed),
    clock: systemClock,
    withPrice: catalogue !== null,
  });
  const resume = seed === null ? 'count' : 'from';
  return { orders, count: total === null ? null : total - from + 1, resume };
}

async function orderIds(seed: number | null = null): Promise<() => string> {
  // Ids have a random generator of their own, so that they do not depend on how many numbers the orders used.
  const newId = await openIds(seed === null ? undefined : seededRandom(seed ^ 0x5eed));
  return () => `ORD-${newId()}`;
}

/** @param total 0: unlimited */
function* copies(order: Order, newId: () => string, total: number): Generator<Numbered> {
  for (let number = 1; total === 0 || number <= total; number += 1) {
    const createdAt = systemClock.now();
    yield { order: number === 1 ? order : { ...order, orderId: newId(), createdAt }, number };
  }
}
