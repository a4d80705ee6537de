import { Failure } from '../../../domain/failure.ts';
import { isoSeconds } from '../../../domain/iso-time.ts';
import type { StoreAccess } from '../../../ports/access.ts';

export const BESIDE = 'Answered from the files, beside a running consumer too.';

export async function unknownOrder(id: string, access: StoreAccess, scanned: boolean): Promise<Failure> {
  const inCheckout = await checkoutOrder(id, access);
  if (inCheckout !== undefined) return inCheckout;
  const where = scanned ? `${access.name} and not in the topic` : access.name;
  return new Failure('not_found', `order ${id} is not decided in ${where}`, {
    fix: scanned
      ? 'check the id, --topic and --storage; "orderctl dlq list" shows records that could not be read'
      : `to look for it in the topic, where it may wait to be read: orderctl order explain ${id} --scan`,
    context: { orderId: id },
  });
}

/** Such an order is decided step by step, and none of its steps is a decision that could be shown. */
async function checkoutOrder(id: string, access: StoreAccess): Promise<Failure | undefined> {
  const { CHECKOUT } = await import('../../../domain/checkout/facts.ts');
  await using reader = await access.read({ onNotice: () => undefined });
  const facts = await reader.facts(CHECKOUT, id);
  const last = facts.at(-1);
  if (last === undefined) return undefined;
  const steps = facts.map(({ step }) => step.replaceAll('_', ' ')).join(', ');
  return new Failure(
    'not_found',
    `order ${id} is one of the checkout, which decides it in steps: ${steps} (${isoSeconds(Date.parse(last.at))})`,
    { fix: `see each of them: orderctl order show ${id}`, context: { orderId: id } },
  );
}
