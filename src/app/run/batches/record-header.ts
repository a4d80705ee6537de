import type { BrokerRecord } from '../../../ports/broker.ts';
import { headerText, lastHeader } from '../../../ports/record.ts';

/** The text of a header; null where the record has none. */
export function headerOf(record: BrokerRecord, name: string): string | null {
  return headerText(
    record.lastHeader === undefined ? lastHeader(record.headers, name) : record.lastHeader(name),
  );
}
