import { Failure } from '../../../domain/failure.ts';
import type { StoreAccess } from '../../../ports/access.ts';

export const BESIDE = 'Answered from the files, beside a running consumer too.';

export function unknownOrder(id: string, access: StoreAccess, scanned: boolean): Failure {
  const where = scanned ? `${access.name} and not in the topic` : access.name;
  return new Failure('not_found', `order ${id} is not decided in ${where}`, {
    fix: scanned
      ? 'check the id, --topic and --storage; "orderctl dlq list" shows records that could not be read'
      : `to look for it in the topic, where it may wait to be read: orderctl order explain ${id} --scan`,
    context: { orderId: id },
  });
}
