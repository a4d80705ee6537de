import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openCheckoutShop } from '../support/checkout-shop.ts';
import { fill, finish, openShop } from '../support/cli.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { serve } from '../support/serve.ts';
import { CLIENT, isFollowed, placeTraced, TRACE, TRACEPARENT } from '../support/traced-order.ts';
import { waitFor } from '../support/wait.ts';

/** A payment gateway that remembers the header `traceparent` of each charge. */
async function startGateway(): Promise<{ url: string; traceparents: readonly (string | undefined)[] }> {
  const traceparents: (string | undefined)[] = [];
  const server = http.createServer((request, response) => {
    traceparents.push(request.headers.traceparent as string | undefined);
    response.end(JSON.stringify({ status: 'paid', reference: 'R-1' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, traceparents };
}

test('one trace from the client through the server, every processor and the gateway to what the customer gets', async () => {
  const receiver = await startOtlpReceiver();
  const gateway = await startGateway();
  const { shop } = await openCheckoutShop({
    ORDERCTL_GATEWAY: gateway.url,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_SERVICE_NAME: 'pens',
  });
  const run = await placeTraced(shop);
  const ofTrace = () => receiver.spans.filter(({ traceId }) => traceId === TRACE);
  const spans = await waitFor('every path', ofTrace, isFollowed);
  expect(spans.find(({ name }) => name === 'POST /orders')).toMatchObject({ parentSpanId: CLIENT, kind: 2 });
  const charge = spans.find(({ name }) => name === 'payment charge');
  expect(charge?.attributes).toMatchObject({ 'orderctl.outcome': 'paid', 'orderctl.attempt': 1 });
  // The gateway goes on with the trace, and so does what reads a topic.
  expect(gateway.traceparents).toEqual([`00-${TRACE}-${charge?.spanId ?? ''}-01`]);
  expect(new Set(spans.map(({ resource }) => resource['service.name']))).toEqual(new Set(['pens']));
  // That of the server, and that of the processors.
  expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);
  for (const span of spans) expect(span.endMs, span.name).toBeGreaterThanOrEqual(span.startMs);
  run.signal('SIGTERM');
  expect((await finish(run, 'run', 60_000)).code).toBe(0);
});

test('what is dead is redriven in a trace of its own, with a link to the first', async () => {
  const receiver = await startOtlpReceiver();
  const { shop } = await openCheckoutShop({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const sale = ['--source', 'store', '--store-id', 'S1', '--item', 'pencil=1'];
  await shop.ok(['produce', ...sale]);
  await shop.ok('run stock --until-end');
  await shop.ok('inventory add pencil --quantity 5');
  await shop.ok('dlq redrive --all --processor stock --execute');
  await shop.ok('run stock --until-end');
  const named = (name: string) => receiver.spans.filter((span) => span.name === name);
  const [sent, redriven] = named('send store_sales');
  expect(redriven?.traceId).not.toBe(sent?.traceId);
  const [dead, handled] = named('stock process store_sales');
  expect(dead).toMatchObject({ traceId: sent?.traceId, status: { message: 'unknown_product' } });
  expect(named('send dlq')).toMatchObject([{ traceId: sent?.traceId, parentSpanId: sent?.spanId }]);
  expect(redriven?.links).toEqual([{ traceId: sent?.traceId, spanId: sent?.spanId }]);
  expect(handled).toMatchObject({ parentSpanId: redriven?.spanId });
});

test('the header of a client goes on as it came through a server that makes no spans', async () => {
  const receiver = await startOtlpReceiver();
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const { call } = await serve(shop);
  const order = { user: 'alice', items: [{ item: 'pen', quantity: 1 }] };
  const placed = await call('POST', '/order', order, { traceparent: TRACEPARENT });
  expect(placed.status).toBe(202);
  await shop.ok('consume --until-end', { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
  expect(receiver.spans.find(({ name }) => name === `orders process ${shop.topic}`)).toMatchObject({
    traceId: TRACE,
    parentSpanId: CLIENT,
    attributes: { 'orderctl.outcome': 'accepted' },
  });
  expect(receiver.spans.some(({ name }) => name === 'POST /order')).toBe(false);
  // What is replayed begins a trace, with a link to the one in which it was decided.
  const decided = receiver.spans.find(({ name }) => name === `orders process ${shop.topic}`);
  for (const asNew of [[], ['--as-new', '--again']]) {
    await shop.ok(['replay', ...asNew], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
    const sent = receiver.spans.findLast(({ name }) => name === `send ${shop.topic}`);
    expect(sent?.traceId).not.toBe(TRACE);
    expect(sent?.links).toEqual([{ traceId: TRACE, spanId: decided?.spanId }]);
  }
});
