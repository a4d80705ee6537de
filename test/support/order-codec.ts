import { createOrderCodec } from '../../src/adapters/avro/orders/codec.ts';
import type { OrderCodec } from '../../src/ports/codec.ts';
import type { FakeRegistry } from './fake-registry.ts';

/** The codec of orders on a registry for one test. */
export function orderCodecOn(registry: FakeRegistry): OrderCodec {
  return createOrderCodec({ url: registry.url, credentials: null, subject: 'orders-value', register: true });
}
