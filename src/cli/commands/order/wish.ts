import type { Command } from 'commander';
import type { Wish, Wished } from '../../../app/orders/wish.ts';
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
      'Asks for an order of the checkout to be cancelled. Until it is dispatched, or has ended otherwise, its stock goes ' +
      'back and what was paid for it is refunded, each once; after that, and for an order of the direct flow, the exit ' +
      'code is 4. An order that nobody knows is 3, unless --yet-to-come: then it is cancelled before it comes.\n\n' +
      'The wish is a record of orders.cancel, which the processor "inventory" decides. Where it runs, the command waits ' +
      'for what becomes of it. Cancelling an order again changes nothing (0).',
    examples: [
      ['orderctl order cancel ORD-7 --reason duplicate', 'before it is dispatched'],
      ['orderctl order cancel ORD-7 --wait 0', 'without waiting for the answer'],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--reason <TEXT>', 'why, for its timeline')
    .option('--yet-to-come', 'also an order that has not come yet')
    .option('--wait <SECONDS>', 'for what becomes of it, where "orderctl run" runs', WAIT_SECONDS)
    .option('--no-create', 'do not create a missing topic')
    .action(async (id: string, flags: Flags & { reason?: string; yetToCome?: true }) => {
      const wish = { kind: 'cancel', reason: flags.reason ?? null } as const;
      await makeWish(session, id, wish, flags, flags.yetToCome === true);
    });
}

export function registerDispatch(order: Command, session: Session): void {
  describe(order.command('dispatch'), {
    summary: 'dispatch the shipment of an order',
    prose:
      'Asks for the shipment of an order to be dispatched: in a shop with "--dispatch manual", or one whose ' +
      '--dispatch-delay is not over. From then on the order cannot be cancelled. An order that is not packed, or was ' +
      'cancelled, is 4; one that nobody knows 3.\n\n' +
      'The wish is a record of shipments.dispatch, which the processor "warehouse" decides. Where it runs, the command ' +
      'waits for what becomes of it. Dispatching an order again changes nothing (0).',
    examples: [
      ['orderctl order dispatch ORD-7', 'with a number of the shop'],
      ['orderctl order dispatch ORD-7 --carrier DHL --tracking-number 123', 'as the carrier has it'],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--carrier <NAME>', 'who carries it (default: own)')
    .option('--tracking-number <TEXT>', "the carrier's number (default: one that follows from the order)")
    .option('--wait <SECONDS>', 'for what becomes of it, where "orderctl run" runs', WAIT_SECONDS)
    .option('--no-create', 'do not create a missing topic')
    .action(async (id: string, flags: Flags & { carrier?: string; trackingNumber?: string }) => {
      const { carrier = null, trackingNumber = null } = flags;
      await makeWish(session, id, { kind: 'dispatch', carrier, trackingNumber }, flags, false);
    });
}

async function makeWish(
  session: Session,
  id: string,
  wish: Wish,
  flags: Flags,
  isUnknown: boolean,
): Promise<void> {
  const { printer, isJson, settings } = session;
  const orderId = nameOf('ID', id);
  const waitMs = delay('--wait', flags.wait);
  const signal = takeStopSignal(printer);
  const [{ wishFor }, { openForRun }] = await Promise.all([
    import('../../../app/orders/wish.ts'),
    import('../../kafka/open.ts'),
  ]);
  const wished = await wishFor(
    {
      access: await openStoreOf(session),
      kafka: () => openForRun(session, { register: flags.create }),
      clock: systemClock,
    },
    {
      orderId,
      wish,
      names: settings.topics,
      create: flags.create,
      isUnknown,
      waitMs,
      signal,
      on: ({ topic }) => printer.info(`created topic ${topic}`),
    },
  );
  if (wished.outcome === 'pending') printer.info(whyPending(wished));
  await (isJson
    ? printer.data(`${JSON.stringify(document(orderId, wish, wished))}\n`)
    : printer.text(`${inWords(orderId, wish, wished)}\n`));
}

function whyPending({ isRunning, record }: Wished): string {
  const where = record === null ? '' : ` (${formatRecordId(record)})`;
  if (isRunning === false) return `nobody decides it now${where}: "orderctl run" does`;
  return isRunning === null ? `sent${where}` : `no answer yet${where}: see "orderctl order show"`;
}

function inWords(orderId: string, { kind }: Wish, { outcome, record }: Wished): string {
  const what = kind === 'cancel' ? 'cancelled' : 'dispatched';
  if (outcome === 'pending') return `order ${orderId} is to be ${what}`;
  return record === null ? `order ${orderId} was ${what} before` : `order ${orderId} is ${what}`;
}

function document(order_id: string, { kind }: Wish, { outcome, status, record }: Wished): WishDocument {
  const place = record ?? { topic: null, partition: null, offset: null };
  return { order_id, wish: kind, outcome, status, ...place };
}
