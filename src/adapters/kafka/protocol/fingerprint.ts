import { crc32 } from 'node:zlib';

import type { BrokerRecord } from '../../../ports/broker.ts';
import type { RecordFingerprint } from '../../../ports/record.ts';

/** Identifies a record: CRC-32 over key and value, each after its length (−1 for null), and its timestamp. */
export function fingerprintOf(
  record: Pick<BrokerRecord, 'offset' | 'timestamp' | 'key' | 'value'>,
): RecordFingerprint {
  let crc = 0;
  for (const bytes of [record.key, record.value]) {
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(bytes?.length ?? -1);
    crc = crc32(length, crc);
    if (bytes !== null) crc = crc32(bytes, crc);
  }
  return { offset: record.offset, timestamp: record.timestamp, crc };
}

/** Computes the fingerprint of one of the records, by its index. @throws RangeError no such record */
export function fingerprintIn(records: readonly BrokerRecord[]): (index: number) => RecordFingerprint {
  return (index) => {
    const record = records[index];
    if (record === undefined) throw new RangeError(`there is no record ${index}`);
    return fingerprintOf(record);
  };
}
