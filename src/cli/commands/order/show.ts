import type { Command } from 'commander';
import { describe } from '../../help.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { orderDocument } from '../../../documents/write/order.ts';
import { checkoutText } from '../../output/checkout/order.ts';
import { orderText } from '../../output/order.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { orderIdOf } from './id.ts';
import { BESIDE, unknownOrder } from './unknown.ts';

export function registerShow(order: Command, session: Session): void {
  describe(order.command('show'), {
    summary: 'show one order, and what was decided',
    prose:
      'Shows the decision of an order: accepted, or rejected and why; the status of its user and the stock on hand ' +
      `that it was decided on; and its record. Of an order of the checkout: its status, payment, shipment and each step ` +
      `with the record that led to it. ${BESIDE} Exit code 3 when the id is not known.`,
    examples: [
      ['orderctl order show ORD-7', 'one order'],
      ['orderctl order show ORD-7 -o json | jq .status', 'for a script'],
    ],
  })
    .argument('<ID>', 'order id')
    .action(async (text: string) => {
      const access = await openStoreOf(session);
      const id = await orderIdOf(access, text);
      await using reader = await access.read();
      const decided = await reader.decided(id);
      const { printer, isJson } = session;
      if (decided === undefined) {
        const { readCheckoutOrder } = await import('../../../app/orders/checkout.ts');
        const order = await readCheckoutOrder(reader, id);
        if (order === undefined) throw unknownOrder(id, access, false);
        await (isJson
          ? printer.data(`${JSON.stringify(checkoutDocument(order))}\n`)
          : printer.text(checkoutText(order)));
        return;
      }
      await (isJson
        ? printer.data(`${JSON.stringify(orderDocument(decided))}\n`)
        : printer.text(orderText(decided)));
    });
}
