import type { Command } from 'commander';
import type { OrderRequest, RequestOutcome } from '../../../app/orders/request.ts';
import { systemClock } from '../../../compose.ts';
import type { Wish as WishDocument } from '../../../documents/checkout/order.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe } from '../../help.ts';
import { delay, nameOf } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

const WAIT_SECONDS = '10';

interface Flags {
  wait: string;
  /** Commander's negation. */
  create: boolean;
}

export function registerCancel(order: Command, session: Session): void {
  describe(order.command('cancel'), {
    summary: 'cancel an order of the checkout',
    prose:
      'Requests the cancellation of an order of the checkout. Unless it is dispatched or has ended otherwise, its stock is ' +
      'returned and its payment is refunded, each exactly once; else, and for an order of the direct flow, the exit code ' +
      'is 4. Exit code 3 for an unknown order, unless --yet-to-come is given: then the order is cancelled before it ' +
      'arrives.\n\n' +
      'The request is a record of orders.cancel, which the processor "inventory" handles. If that runs, the command waits ' +
      'for the outcome. Cancelling an order again changes nothing (0).',
    examples: [
      ['orderctl order cancel ORD-7 --reason duplicate', 'cancel an order'],
      ['orderctl order cancel ORD-7 --wait 0', 'without waiting for the outcome'],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--reason <TEXT>', 'the reason, for the timeline of the order')
    .option('--yet-to-come', 'also cancel an order that has not arrived yet')
    .option('--wait <SECONDS>', 'how long to wait for the outcome, if "orderctl run" runs', WAIT_SECONDS)
    .option('--no-create', 'do not create a missing topic')
    .action(async (id: string, flags: Flags & { reason?: string; yetToCome?: true }) => {
      const request = { kind: 'cancel', reason: flags.reason ?? null } as const;
      await runRequest(session, id, request, flags, flags.yetToCome === true);
    });
}

export function registerDispatch(order: Command, session: Session): void {
  describe(order.command('dispatch'), {
    summary: 'dispatch the shipment of an order',
    prose:
      'Requests the dispatch of the shipment of an order: in a shop with "--dispatch manual", or before --dispatch-delay is ' +
      'over. A dispatched order cannot be cancelled. Exit code 4 for an order that is not packed or was cancelled; 3 for ' +
      'an unknown order.\n\n' +
      'The request is a record of shipments.dispatch, which the processor "warehouse" handles. If that runs, the command ' +
      'waits for the outcome. Dispatching an order again changes nothing (0).',
    examples: [
      ['orderctl order dispatch ORD-7', 'dispatch a shipment'],
      [
        'orderctl order dispatch ORD-7 --carrier DHL --tracking-number 123',
        'with a carrier and its tracking number',
      ],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--carrier <NAME>', 'name of the carrier (default: own)')
    .option('--tracking-number <TEXT>', 'number of the carrier (default: derived from the order)')
    .option('--wait <SECONDS>', 'how long to wait for the outcome, if "orderctl run" runs', WAIT_SECONDS)
    .option('--no-create', 'do not create a missing topic')
    .action(async (id: string, flags: Flags & { carrier?: string; trackingNumber?: string }) => {
      const { carrier = null, trackingNumber = null } = flags;
      await runRequest(session, id, { kind: 'dispatch', carrier, trackingNumber }, flags, false);
    });
}

async function runRequest(
  session: Session,
  id: string,
  request: OrderRequest,
  flags: Flags,
  isUnknown: boolean,
): Promise<void> {
  const { printer, isJson, settings } = session;
  const orderId = nameOf('ID', id);
  const waitMs = delay('--wait', flags.wait);
  const signal = takeStopSignal(printer);
  const [{ submitRequest }, { openForRun }] = await Promise.all([
    import('../../../app/orders/request.ts'),
    import('../../kafka/open.ts'),
  ]);
  const result = await submitRequest(
    {
      access: await openStoreOf(session),
      kafka: () => openForRun(session, { register: flags.create }),
      clock: systemClock,
    },
    {
      orderId,
      request,
      names: settings.topics,
      create: flags.create,
      isUnknown,
      waitMs,
      signal,
      on: ({ topic }) => printer.info(`created topic ${topic}`),
    },
  );
  if (result.outcome === 'pending') printer.info(whyPending(result));
  await (isJson
    ? printer.data(`${JSON.stringify(document(orderId, request, result))}\n`)
    : printer.text(`${outcomeText(orderId, request, result)}\n`));
}

function whyPending({ isRunning, record }: RequestOutcome): string {
  const where = record === null ? '' : ` (${formatRecordId(record)})`;
  if (isRunning === false) return `no processor handles it now${where}: start "orderctl run"`;
  return isRunning === null ? `sent${where}` : `no outcome yet${where}: see "orderctl order show"`;
}

function outcomeText(orderId: string, { kind }: OrderRequest, { outcome, record }: RequestOutcome): string {
  const what = kind === 'cancel' ? 'cancelled' : 'dispatched';
  if (outcome === 'pending') return `order ${orderId} is to be ${what}`;
  return record === null ? `order ${orderId} was ${what} already` : `order ${orderId} is ${what}`;
}

function document(
  order_id: string,
  { kind }: OrderRequest,
  { outcome, status, record }: RequestOutcome,
): WishDocument {
  const place = record ?? { topic: null, partition: null, offset: null };
  return { order_id, wish: kind, outcome, status, ...place };
}
