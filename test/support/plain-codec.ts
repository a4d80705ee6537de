import type { Order } from '../../src/domain/orders/order.ts';
import type { BrokerRecord } from '../../src/ports/broker.ts';
import type { DecodedRecord, OrderCodec } from '../../src/ports/codec.ts';

/** Orders as plain JSON: for tests of code around a codec. Anything that does not parse is a dead letter. */
export class PlainCodec implements OrderCodec {
  /** Failures of the next calls, in order; undefined for a call that does not fail. */
  decodeFailures: (Error | undefined)[] = [];
  /** The number of calls. */
  decoded = 0;

  async decode(records: readonly BrokerRecord[]): Promise<readonly DecodedRecord[]> {
    this.decoded += 1;
    const failure = this.decodeFailures.shift();
    if (failure !== undefined) throw failure;
    return records.map(({ value }) => {
      try {
        const order = JSON.parse(new TextDecoder().decode(value ?? new Uint8Array())) as Order;
        return { kind: 'message', value: order };
      } catch {
        return { kind: 'dead_letter', code: 'undecodable', stage: 'decode', message: 'not JSON' };
      }
    });
  }

  async encode(orders: readonly Order[]): Promise<readonly Uint8Array[]> {
    return orders.map((order) => encodeOrder(order));
  }
}

export function encodeOrder(order: Order): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(order));
}
