import type { Order } from '../domain/orders/order.ts';
import type { IgnoredPrices } from '../domain/orders/parse-order.ts';
import type { BrokerRecord } from './broker.ts';

/** Why a record cannot be read. Part of the outside contract: `x-error-code`. */
export const DEAD_LETTER_CODES = [
  'no_value',
  'too_large',
  'unknown_format',
  'unknown_schema_id',
  'undecodable',
  'missing_field',
  'invalid_field',
  'invalid_name',
] as const;
export type DeadLetterCode = (typeof DEAD_LETTER_CODES)[number];

/** What a record says, or why it cannot be read. */
export type Decoded<T> =
  | {
      readonly kind: 'message';
      readonly value: T;
      /** Of orders only. */
      readonly ignored?: IgnoredPrices;
    }
  | {
      readonly kind: 'dead_letter';
      readonly code: DeadLetterCode;
      /** `decode`: the bytes; `validate`: what they say. */
      readonly stage: 'decode' | 'validate';
      readonly message: string;
    };

/** The bytes of one kind of message, whose values are T. */
export interface Codec<T> {
  /**
   * One result per record, in their order. Total: for any bytes, a result at bounded cost.
   *
   * @throws Failure registry_unreachable (wait and try again: never a dead letter), registry_refused
   */
  decode(records: readonly BrokerRecord[]): Promise<readonly Decoded<T>[]>;
  /**
   * Values in the Confluent wire format. The schema is registered when the subject is new.
   *
   * @throws Failure registry_unreachable, registry_refused, incompatible_schema, not_found (the subject is new and
   * registering is forbidden), invalid_value (a value that the schema cannot hold)
   */
  encode(values: readonly T[]): Promise<readonly Uint8Array[]>;
}

export type DecodedRecord = Decoded<Order>;
export type OrderCodec = Codec<Order>;
