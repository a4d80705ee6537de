import type { Refused } from '../processor.ts';
import type { SourceMessage } from '../../domain/stock/events.ts';

/** Long enough for the ids of any system, and short enough for a database index. */
const MAX_ID_LENGTH = 256;

/** Why an event cannot be counted; it becomes a dead letter, which can be corrected and sent again. */
export function refuse(
  { event_id, product_id, quantity }: SourceMessage,
  onHand: number | undefined,
): Refused | null {
  const quantityOf = `quantity of event ${event_id} is ${quantity}`;
  if (quantity < 1) return refused('invalid_quantity', `${quantityOf}, not a whole number from 1`);
  if (onHand === undefined) return refused('unknown_product', `product ${product_id} does not exist`);
  if (Number.isSafeInteger(onHand + quantity) && Number.isSafeInteger(onHand - quantity)) return null;
  return refused('invalid_quantity', `${quantityOf}, which is too much for the stock of ${product_id}`);
}

/** Why an id is not valid; null if it is. */
export function refuseId(event_id: string): Refused | null {
  if (/^[^\p{Cc}\p{Cs}]+$/u.test(event_id) && event_id.length <= MAX_ID_LENGTH) return null;
  const rule = `1 to ${MAX_ID_LENGTH} characters, without control characters`;
  return refused('invalid_field', `event_id ${JSON.stringify(event_id.slice(0, 40))} is not an id: ${rule}`);
}

function refused(code: Refused['code'], message: string): Refused {
  return { kind: 'dead_letter', code, message };
}
