import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createHttpGateway } from '../../../src/adapters/gateway/http.ts';
import { startDevGateway, type DevGateway } from '../../../src/dev-gateway/dev-gateway.ts';
import type { Gateway, Payment } from '../../../src/ports/outside/gateway.ts';
import { closedPort } from '../../support/closed-port.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const newFolder = temporaryFolder();
const never = new AbortController().signal;
const payment = (key: string, customerId = 'alice'): Payment => {
  return { key, orderId: key.split(':')[1] ?? '', customerId, amount: '12.50', traceparent: null };
};

async function openDev(file = path.join(newFolder(), 'books.log')): Promise<DevGateway> {
  const dev = await startDevGateway({ port: 0, file });
  onTestFinished(() => dev.stop().catch(() => undefined));
  return dev;
}

/** A gateway that answers everything so. */
async function answering(
  status: number,
  body: string,
): Promise<Gateway & { requests: http.IncomingMessage[] }> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    requests.push(request);
    request.resume().on('end', () => response.writeHead(status, { location: '/elsewhere' }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => server.closeAllConnections());
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { ...createHttpGateway({ url: `http://127.0.0.1:${port}/`, token: 'secret' }), requests };
}

it('charges, declines, refunds, and finds by key what it answered', async () => {
  const dev = await openDev();
  const gateway = createHttpGateway({ url: dev.url, token: null });
  const paid = await gateway.charge(payment('s:1:charge'), never);
  expect(paid).toEqual({ kind: 'paid', reference: 'ch_1' });
  expect(await gateway.charge(payment('s:1:charge'), never)).toEqual(paid);
  expect(await gateway.charge(payment('s:2:charge', 'decline-bob'), never)).toEqual({
    kind: 'declined',
    reason: 'card_declined',
    reference: 'ch_2',
  });
  expect(await gateway.refund(payment('s:1:refund'), never)).toEqual({ kind: 'paid', reference: 're_3' });
  expect(await gateway.lookUp('s:1:refund', never)).toEqual({ kind: 'paid', reference: 're_3' });
  expect(await gateway.lookUp('s:2:charge', never)).toMatchObject({ kind: 'declined' });
  expect(await gateway.lookUp('s:3/4:charge', never)).toBeNull();
  expect(dev.totals()).toEqual({
    charges: 1,
    charged: '12.50',
    refunds: 1,
    refunded: '12.50',
    declined: 1,
    charged_twice: [],
    refunded_twice: [],
  });
});

it('the one to play with keeps its books through a restart, and moves no money twice for one key', async () => {
  const file = path.join(newFolder(), 'books.log');
  const before = await openDev(file);
  await createHttpGateway({ url: before.url, token: null }).charge(payment('s:1:charge'), never);
  await before.stop();
  const after = await openDev(file);
  const gateway = createHttpGateway({ url: after.url, token: null });
  expect(await gateway.charge(payment('s:1:charge'), never)).toEqual({ kind: 'paid', reference: 'ch_1' });
  expect(after.totals().charges).toBe(1);
  expect(fs.readFileSync(file, 'utf8').trimEnd().split('\n')).toHaveLength(1);
});

it('an answer that is lost is found; a key that is forgotten is charged twice without a look-up', async () => {
  const dev = await openDev();
  const gateway = createHttpGateway({ url: dev.url, token: null });
  expect(await gateway.charge(payment('s:1:charge', 'lose-amy'), never)).toMatchObject({
    kind: 'fault',
    isUnknown: true,
  });
  expect(await gateway.lookUp('s:1:charge', never)).toEqual({ kind: 'paid', reference: 'ch_1' });
  expect(await gateway.charge(payment('s:2:charge', 'forget-amy'), never)).toMatchObject({ kind: 'fault' });
  expect(await gateway.lookUp('s:2:charge', never)).toEqual({ kind: 'paid', reference: 'ch_2' });
  await gateway.charge(payment('s:2:charge', 'forget-amy'), never);
  expect(dev.totals()).toMatchObject({ charges: 3, charged_twice: ['2'] });
});

it('moods are for so many requests, and then it is itself again', async () => {
  const dev = await openDev();
  const gateway = createHttpGateway({ url: dev.url, token: null });
  const set = await fetch(`${dev.url}/mood`, {
    method: 'PUT',
    body: JSON.stringify({ mood: 'error', times: 2 }),
  });
  expect(await set.json()).toEqual({ mood: 'error', times: 2 });
  expect(await gateway.charge(payment('s:1:charge'), never)).toMatchObject({
    kind: 'fault',
    isUnknown: true,
  });
  expect(await gateway.lookUp('s:1:charge', never)).toMatchObject({ kind: 'fault' });
  expect(await gateway.charge(payment('s:1:charge'), never)).toMatchObject({ kind: 'paid' });
  const wrong = await fetch(`${dev.url}/mood`, { method: 'PUT', body: '{"mood":"angry"}' });
  expect(wrong.status).toBe(400);
});

it('sends the key, the token and the order, and follows nobody elsewhere', async () => {
  const gateway = await answering(302, '');
  expect(await gateway.charge(payment('s:1:charge'), never)).toMatchObject({
    kind: 'fault',
    isUnknown: false,
  });
  expect(
    gateway.requests.map(({ method, url, headers }) => [method, url, headers['idempotency-key']]),
  ).toEqual([['POST', '/payments', 's:1:charge']]);
  expect(gateway.requests[0]?.headers.authorization).toBe('Bearer secret');
});

it.each([
  ['a 5xx may have moved money', 503, '', true],
  ['one that is in progress may have too', 409, '', true],
  ['a 4xx has not', 401, '', false],
  ['an answer that is none may have', 200, 'thank you', true],
  ['an answer without a reference may have', 200, '{"status":"paid"}', true],
  ['a huge answer may have', 200, `{"status":"paid","reference":"${'x'.repeat(100_000)}"}`, true],
])('%s', async (_, status, body, isUnknown) => {
  const gateway = await answering(status, body);
  expect(await gateway.charge(payment('s:1:charge'), never)).toMatchObject({ kind: 'fault', isUnknown });
});

it('the 404 of a proxy does not say that nothing was charged', async () => {
  const proxy = await answering(404, '<html>not found</html>');
  expect(await proxy.lookUp('s:1:charge', never)).toMatchObject({ kind: 'fault' });
  const gateway = await answering(404, '{"code":"unknown_key"}');
  expect(await gateway.lookUp('s:1:charge', never)).toBeNull();
});

it('what refuses the connection has moved nothing; what does not answer may have', async () => {
  const port = await closedPort();
  const down = createHttpGateway({ url: `http://127.0.0.1:${port}`, token: null });
  expect(await down.charge(payment('s:1:charge'), never)).toMatchObject({ kind: 'fault', isUnknown: false });
  const dev = await openDev();
  const hanging = createHttpGateway({ url: dev.url, token: null, timeoutMs: 50 });
  expect(await hanging.charge(payment('s:1:charge', 'hang-carol'), never)).toEqual({
    kind: 'fault',
    isUnknown: true,
    message: `the gateway at ${dev.url} did not answer within 0.05 s`,
  });
});

it('a stop breaks a call off', async () => {
  const dev = await openDev();
  const stop = new AbortController();
  const asked = createHttpGateway({ url: dev.url, token: null }).charge(
    payment('s:1:charge', 'hang-c'),
    stop.signal,
  );
  stop.abort();
  await expect(asked).rejects.toThrow();
});
