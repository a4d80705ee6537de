import type { Order } from '../domain/orders/order.ts';
import type { IgnoredPrices } from '../domain/orders/parse-order.ts';
import type { BrokerRecord } from './broker.ts';

/** Why a record cannot be read. The codes are part of the public contract: `x-error-code`. */
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

/** A decoded record, or why it cannot be read. */
export type Decoded<T> =
  | {
      readonly kind: 'message';
      readonly value: T;
      /** For orders only. */
      readonly ignored?: IgnoredPrices;
    }
  | {
      readonly kind: 'dead_letter';
      readonly code: DeadLetterCode;
      /** What was invalid: `decode`: the bytes; `validate`: the decoded content. */
      readonly stage: 'decode' | 'validate';
      readonly message: string;
    };

/** Encodes and decodes one kind of message, whose values have type T. */
export interface Codec<T> {
  /**
   * Returns one result per record, in order. Total: any bytes give a result at bounded cost.
   *
   * @throws Failure registry_unreachable (wait and retry: never a dead letter), registry_refused
   */
  decode(records: readonly BrokerRecord[]): Promise<readonly Decoded<T>[]>;
  /**
   * Encodes values in the Confluent wire format. Registers the schema if the subject is new.
   *
   * @throws Failure registry_unreachable, registry_refused, incompatible_schema, not_found (the subject is new and
   * registration is forbidden), invalid_value (the schema cannot represent a value)
   */
  encode(values: readonly T[]): Promise<readonly Uint8Array[]>;
}

export type DecodedRecord = Decoded<Order>;
export type OrderCodec = Codec<Order>;
