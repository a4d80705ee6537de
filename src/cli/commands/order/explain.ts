import type { Command } from 'commander';
import type { CheckoutOrder } from '../../../app/orders/checkout.ts';
import type { ScanPorts } from '../../../app/orders/explain.ts';
import type { StoreAccess } from '../../../ports/access.ts';
import { describe } from '../../help.ts';
import { explainDocument, explainText } from '../../output/order.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { orderIdOf } from './id.ts';
import { BESIDE, unknownOrder } from './unknown.ts';

export function registerExplain(order: Command, session: Session): void {
  describe(order.command('explain'), {
    summary: 'explain the decision of one order',
    prose:
      'Explains why an order was accepted or rejected: the stock and user status at that time, the record, and what ' +
      'you can do now, with the result to expect. --scan also reads the topic to its end and lists every record with ' +
      'that id: the one that was processed, duplicates, conflicts, and unread ones. For an order of the checkout it ' +
      'lists each step with its record, and what the order waits for. ' +
      `${BESIDE} Exit code 3 if the id is unknown.`,
    examples: [
      ['orderctl order explain ORD-8', 'why an order was rejected'],
      ['orderctl order explain ORD-8 --scan', 'with every record of it in the topic'],
    ],
  })
    .argument('<ID>', 'order id')
    .option('--scan', 'also search the topic')
    .action(async (text: string, flags: { scan?: true }) => {
      const { printer, isJson } = session;
      const { explainOrder } = await import('../../../app/orders/explain.ts');
      const access = await openStoreOf(session);
      const id = await orderIdOf(access, text);
      const checkout = await checkoutOrderOf(access, id);
      if (checkout !== undefined) return explainCheckout(session, checkout, flags.scan === true);
      const scan = flags.scan === true ? await scanPorts(session) : null;
      const explained = await explainOrder(access, id, scan);
      if (explained === undefined) throw unknownOrder(id, access, scan !== null);
      const rephrase = (step: string): string => printer.rephrased(step);
      const document = isJson ? explainDocument(explained, rephrase) : null;
      await (document === null
        ? printer.text(explainText(explained, rephrase))
        : printer.data(`${JSON.stringify(document)}\n`));
    });
}

async function checkoutOrderOf(access: StoreAccess, id: string): Promise<CheckoutOrder | undefined> {
  const { readCheckoutOrder } = await import('../../../app/orders/checkout.ts');
  await using reader = await access.read();
  // An id that both flows used belongs to the one that used it first.
  return (await reader.decided(id)) === undefined ? await readCheckoutOrder(reader, id) : undefined;
}

async function explainCheckout(
  { printer, isJson }: Session,
  order: CheckoutOrder,
  isToScan: boolean,
): Promise<void> {
  const { checkoutExplanation, checkoutExplainText } = await import('../../output/orders/explain.ts');
  if (isToScan) {
    printer.warn(
      '--scan searches only the topic of direct orders; this order is of the checkout, and its records are listed with its steps',
    );
  }
  const rephrase = (step: string): string => printer.rephrased(step);
  await (isJson
    ? printer.data(`${JSON.stringify(checkoutExplanation(order, rephrase))}\n`)
    : printer.text(checkoutExplainText(order, rephrase)));
}

async function scanPorts(session: Session): Promise<ScanPorts> {
  const { topic } = session.settings;
  const { openKafka } = await import('../../kafka/open.ts');
  const { broker, codec } = await openKafka(session, { topic, register: false });
  return { broker, codec, topic };
}
