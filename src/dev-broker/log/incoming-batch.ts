import { KafkaError, RecordsRefused } from '../wire/errors.ts';
import {
  BATCH_HEADER_BYTES,
  checksumHolds,
  COMPRESSION,
  readBatchHeader,
  type BatchHeader,
} from '../wire/record-batch.ts';
import { keylessRecords } from '../wire/records.ts';

export interface BatchLimits {
  /** max.message.bytes */
  readonly maxMessageBytes: number;
  readonly isAppendTime: boolean;
  readonly timestampAheadMs: number;
  /** cleanup.policy has compact: every record needs a key. */
  readonly compacts: boolean;
}

/**
 * Checks what a producer sent for one partition: one batch of the current format, consistent with its header. Records
 * are read only for their keys, where the topic is compacted.
 *
 * @throws KafkaError with Kafka's code
 */
export function checkBatch(bytes: Buffer, limits: BatchLimits, nowMs: number): BatchHeader {
  if (bytes.length < BATCH_HEADER_BYTES) {
    const magic = bytes.length > 16 ? bytes.readInt8(16) : 2;
    throw magic < 2
      ? new KafkaError('UNSUPPORTED_FOR_MESSAGE_FORMAT', 'messages are in a format older than Kafka 0.11')
      : new KafkaError('CORRUPT_MESSAGE', `${bytes.length} bytes that are not a record batch`);
  }
  const header = readBatchHeader(bytes);
  if (header.magic !== 2) {
    throw new KafkaError(
      'UNSUPPORTED_FOR_MESSAGE_FORMAT',
      `record batches have magic 2, not ${header.magic}`,
    );
  }
  if (header.sizeBytes < BATCH_HEADER_BYTES || header.sizeBytes > bytes.length) {
    throw new KafkaError('CORRUPT_MESSAGE', `a batch of ${header.sizeBytes} in ${bytes.length} bytes`);
  }
  if (header.sizeBytes < bytes.length) {
    throw new KafkaError('INVALID_RECORD', 'a request carries one batch per partition');
  }
  if (header.sizeBytes > limits.maxMessageBytes) {
    throw new KafkaError(
      'MESSAGE_TOO_LARGE',
      `The batch is ${header.sizeBytes} bytes, more than max.message.bytes ${limits.maxMessageBytes}.`,
    );
  }
  if (!checksumHolds(bytes, 0, bytes.length)) {
    throw new KafkaError('CORRUPT_MESSAGE', 'the checksum of the batch is not that of its bytes');
  }
  const wrong = whatIsWrong(header);
  if (wrong !== undefined) throw new KafkaError('INVALID_RECORD', wrong);
  if (
    !limits.isAppendTime &&
    (header.isAppendTime || header.maxTimestamp - nowMs > limits.timestampAheadMs)
  ) {
    throw new KafkaError('INVALID_TIMESTAMP', `Timestamp ${header.maxTimestamp} is too far ahead.`);
  }
  if (limits.compacts) checkKeys(bytes, header);
  return header;
}

/** Records that cannot be decompressed here pass. @throws RecordsRefused */
function checkKeys(bytes: Buffer, header: BatchHeader): void {
  const refused = keylessRecords(bytes, header).map((index) => ({
    index,
    message: 'Compacted topic cannot accept message without key.',
  }));
  if (refused.length > 0) throw new RecordsRefused(refused);
}

function whatIsWrong(header: BatchHeader): string | undefined {
  const { count, lastOffsetDelta, compression, sizeBytes, producerId, producerEpoch, baseSequence } = header;
  if (count <= 0 || count !== lastOffsetDelta + 1) {
    return `a batch of ${count} records whose last is number ${lastOffsetDelta}`;
  }
  // The smallest record takes seven bytes.
  if (compression === COMPRESSION.none && sizeBytes - BATCH_HEADER_BYTES < 7 * count) {
    return `${count} records in ${sizeBytes - BATCH_HEADER_BYTES} bytes`;
  }
  if (compression > COMPRESSION.zstd) return `unknown compression type ${compression}`;
  if (header.isControl) return 'only the broker writes control records';
  if (producerId >= 0 && (producerEpoch < 0 || baseSequence < 0)) {
    return `producer ${producerId} with epoch ${producerEpoch} and sequence ${baseSequence}`;
  }
  if (header.isTransactional && producerId < 0) return 'a transaction without a producer';
  return undefined;
}
