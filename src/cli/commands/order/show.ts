import type { Command } from 'commander';
import { describe } from '../../help.ts';
import { orderDocument } from '../../../documents/write/order.ts';
import { orderText } from '../../output/order.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { orderIdOf } from './id.ts';
import { BESIDE, unknownOrder } from './unknown.ts';

export function registerShow(order: Command, session: Session): void {
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
      const access = await openStoreOf(session);
      const id = await orderIdOf(access, text);
      await using reader = await access.read();
      const decided = await reader.decided(id);
      if (decided === undefined) throw await unknownOrder(id, access, false);
      const { printer, isJson } = session;
      await printer.data(isJson ? `${JSON.stringify(orderDocument(decided))}\n` : orderText(decided));
    });
}
