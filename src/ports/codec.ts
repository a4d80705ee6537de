import type { Order } from '../domain/order.ts';
import type { IgnoredPrices } from '../domain/parse-order.ts';
import type { BrokerRecord } from './broker.ts';

/** Why a record cannot be an order. Part of the outside contract: `x-error-code`. */
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

export type DecodedRecord =
  | {
      readonly kind: 'order';
      readonly order: Order;
      readonly ignored?: IgnoredPrices;
    }
  | {
      readonly kind: 'dead_letter';
      readonly code: DeadLetterCode;
      /** `decode`: the bytes; `validate`: what they say. */
      readonly stage: 'decode' | 'validate';
      readonly message: string;
    };

export interface OrderCodec {
  /**
   * One result per record, in their order. Total: whatever the bytes are, an answer of bounded cost.
   *
   * @throws Failure registry_unreachable (wait and try again: never a dead letter), registry_refused
   */
  decode(records: readonly BrokerRecord[]): Promise<readonly DecodedRecord[]>;
  /**
   * Values in the Confluent wire format. The schema is registered when the subject is new.
   *
   * @throws Failure registry_unreachable, registry_refused, incompatible_schema, not_found (the subject is new and
   * registering is forbidden), invalid_value (an order that the schema cannot hold)
   */
  encode(orders: readonly Order[]): Promise<readonly Uint8Array[]>;
}
