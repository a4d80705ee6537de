import { isMadeByClient } from '../../domain/messages/headers.ts';
import { isTraceparent } from '../../domain/messages/trace.ts';
import { headerText, lastHeaderOf } from '../../ports/record.ts';

/** The header `traceparent` of a record, if it is valid. */
export function traceparentOf(record: Parameters<typeof lastHeaderOf>[0]): string | null {
  const header = headerText(lastHeaderOf(record, 'traceparent'));
  return isTraceparent(header) ? header : null;
}

/** The header `traceparent` of what led to a record. @returns null: it has none, or one that no tracer has decided on */
export function causeOf(record: Parameters<typeof lastHeaderOf>[0]): string | null {
  const found = traceparentOf(record);
  if (found === null) return null;
  return isMadeByClient(found, headerText(lastHeaderOf(record, 'ce_id'))) ? null : found;
}
