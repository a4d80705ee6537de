import type { ShownDeadLetter } from '../../../documents/dead-letter.ts';
import type { DecodedRecord } from '../../../ports/codec.ts';
import { printable } from '../text.ts';

/** What consuming a dead letter would make of it now; null: not known. */
export function nowDocument(now: DecodedRecord | null): ShownDeadLetter['now'] {
  if (now === null) return null;
  return now.kind === 'message'
    ? { readable: true, order_id: now.value.orderId, error_code: null, error_message: null }
    : { readable: false, order_id: null, error_code: now.code, error_message: printable(now.message) };
}

export function failsAgain({ code, message }: Extract<DecodedRecord, { kind: 'dead_letter' }>): string {
  return `it would fail again: ${code}, ${printable(message)}`;
}
