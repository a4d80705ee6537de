import { Failure } from '../failure.ts';

/** Identifies a dead letter: a record of a dead-letter topic, or one that was too large for it and is in the folder. */
export type DeadLetterId =
  | {
      readonly kind: 'record';
      /** The dead-letter topic; null: the default one of the command. */
      readonly topic: string | null;
      readonly partition: number;
      readonly offset: number;
    }
  | { readonly kind: 'kept'; readonly of: string };

/** Up to 16 digits for the offset, the first at most 8, so that it is a safe integer. */
const RECORD = /^(?:([A-Za-z0-9._-]{1,249}):)?([0-9]{1,10}):([1-8]?[0-9]{1,15})$/;
/**
 * The original record as in formatRecordId, with a suffix if there are several: `orders/3@17`, `orders/3@17~1a2b3c4d`.
 */
const KEPT = /^kept:([A-Za-z0-9._-]{1,249}\/[0-9]{1,10}@[1-8]?[0-9]{1,15}(?:~[0-9a-f]{8})?)$/;
export const DEAD_LETTER_ID_PATTERN = `${RECORD.source}|${KEPT.source}`;

/** Formats an id: `orders.dlq:0:17`, `0:17`, `kept:orders/3@17`. */
export function formatDeadLetterId(id: DeadLetterId): string {
  if (id.kind === 'kept') return `kept:${id.of}`;
  return `${id.topic === null ? '' : `${id.topic}:`}${id.partition}:${id.offset}`;
}

/** @throws Failure invalid_value */
export function parseDeadLetterId(text: string): DeadLetterId {
  const record = RECORD.exec(text);
  const [partition, offset] = [Number(record?.[2]), Number(record?.[3])];
  if (Number.isSafeInteger(partition) && Number.isSafeInteger(offset)) {
    return { kind: 'record', topic: record?.[1] ?? null, partition, offset };
  }
  const of = KEPT.exec(text)?.[1];
  if (of !== undefined) return { kind: 'kept', of };
  throw new Failure('invalid_value', `${JSON.stringify(text.slice(0, 300))} is not the id of a dead letter`, {
    fix: { kind: 'dead_letter_ids' },
  });
}
