import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { CheckoutOrder } from '../../../app/orders/checkout.ts';
import type { Decided } from '../../../domain/orders/decided.ts';
import type { StoreAccess } from '../../../ports/access.ts';
import { describe } from '../../help.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { orderDocument } from '../../../documents/write/order.ts';
import { checkoutText } from '../../output/checkout/order.ts';
import { orderText } from '../../output/order.ts';
import { delay } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { orderIdOf } from './id.ts';
import { BESIDE, unknownOrEvent } from './unknown.ts';

/** How often --wait checks for the order. */
const CHECK_MS = 250;

type Found = { readonly decided: Decided } | { readonly checkout: CheckoutOrder };

export function registerShow(order: Command, session: Session): void {
  describe(order.command('show'), {
    summary: 'show one order and its decision',
    prose:
      'Shows whether an order was accepted or rejected, and why; the user status and the stock at that time; and its ' +
      'record. For an order of the checkout: its status, payment, shipment, and each step with the record that caused ' +
      `it. ${BESIDE} Exit code 3 if the id is unknown, or still unknown after --wait.`,
    examples: [
      ['orderctl order show ORD-7', 'show one order'],
      [
        'orderctl order show ORD-7 --wait 10 -o json | jq .status',
        'wait for an order that was just sent, in a script',
      ],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--wait <SECONDS>', 'how long to wait for an order that is still unknown', '0')
    .action(async (text: string, flags: { wait: string }) => {
      const until = Date.now() + delay('--wait', flags.wait);
      const access = await openStoreOf(session);
      const id = await orderIdOf(access, text);
      let found = await find(access, id);
      while (found === undefined && Date.now() < until) {
        await sleep(CHECK_MS);
        found = await find(access, id);
      }
      if (found === undefined) throw await unknownOrEvent(id, access);
      await print(session, found);
    });
}

async function find(access: StoreAccess, id: string): Promise<Found | undefined> {
  await using reader = await access.read();
  const decided = await reader.decided(id);
  if (decided !== undefined) return { decided };
  const { readCheckoutOrder } = await import('../../../app/orders/checkout.ts');
  const checkout = await readCheckoutOrder(reader, id);
  return checkout === undefined ? undefined : { checkout };
}

async function print({ printer, isJson }: Session, found: Found): Promise<void> {
  if (isJson) {
    const document = 'decided' in found ? orderDocument(found.decided) : checkoutDocument(found.checkout);
    await printer.data(`${JSON.stringify(document)}\n`);
  } else await printer.text('decided' in found ? orderText(found.decided) : checkoutText(found.checkout));
}
