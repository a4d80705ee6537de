import { isMadeByClient } from '../../domain/messages/headers.ts';
import { isTraceparent } from '../../domain/messages/trace.ts';
import { headerText, lastHeaderOf } from '../../ports/record.ts';

/** The header `traceparent` of what led to a record. @returns null: it has none, or one that no tracer has decided on */
export function causeOf(record: Parameters<typeof lastHeaderOf>[0]): string | null {
  const found = headerText(lastHeaderOf(record, 'traceparent'));
  if (!isTraceparent(found)) return null;
  return isMadeByClient(found, headerText(lastHeaderOf(record, 'ce_id'))) ? null : found;
}
