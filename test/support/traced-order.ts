import { expect } from 'vitest';
import { fill, type Running, type Shop } from './cli.ts';
import { serve } from './serve.ts';

/** The trace of the client that places the order. */
export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const CLIENT = 'b7ad6b7169203331';
export const TRACEPARENT = `00-${TRACE}-${CLIENT}-01`;

/** The path from the client on, by the names of spans. */
const PATHS = [
  'POST /orders',
  'POST /orders > send orders.created > validation process orders.created > payment process orders.validated > ' +
    'inventory process payments.processed > warehouse process shipments.created > ' +
    'notification process shipments.dispatched > delivery process notifications.outbound > delivery log',
  'POST /orders > send orders.created > validation process orders.created > payment process orders.validated > ' +
    'payment charge',
];

/**
 * Starts a server and every processor, and places an order of the checkout in the client's trace.
 *
 * @returns the processors
 */
export async function placeTraced(shop: Shop): Promise<Running> {
  fill(shop, { alice: 'paid' }, { pen: 5 });
  await shop.ok('inventory update pen --price 2.50');
  const { call } = await serve(shop);
  const run = shop.start('run');
  const order = { user: 'alice', items: [{ item: 'pen', quantity: 1 }], shipping_address: 'Here 1' };
  const placed = await call('POST', '/orders', order, { traceparent: TRACEPARENT });
  expect(placed.status).toBe(202);
  return run;
}

interface Span {
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
}

/** Whether the trace follows the order to the gateway and to the customer's notification. */
export function isFollowed(spans: readonly Span[]): boolean {
  const paths = new Set(spans.map((span) => pathTo(span, spans).join(' > ')));
  return PATHS.every((one) => paths.has(one));
}

/** The names from the root of the trace to this span. */
function pathTo(span: Span, spans: readonly Span[]): string[] {
  const parent = spans.find(({ spanId }) => spanId === span.parentSpanId);
  return [...(parent === undefined ? [] : pathTo(parent, spans)), span.name];
}
