import { createHmac } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import v8 from 'node:v8';
import vm from 'node:vm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createWebhook } from '../../../src/adapters/webhook/webhook.ts';
import type { Webhook, WebhookEvent } from '../../../src/ports/outside/webhook.ts';
import { closedPort } from '../../support/closed-port.ts';

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const EVENT: WebhookEvent = {
  id: 'shop/alerts/P.567/1/low_stock',
  type: 'alert.low_stock',
  at: Date.UTC(2026, 0, 2),
  data: { item: 'P-567', on_hand: 1 },
  traceparent: null,
};
const NOW_MS = 1_800_000_000_123;

interface Got {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

let server: http.Server;
let webhook: Webhook;
let got: Got[];
let status: number;
const never = new AbortController().signal;

beforeEach(async () => {
  got = [];
  status = 204;
  server = http.createServer((request, response) => {
    void text(request).then((body) => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  webhook = createWebhook({ url: `http://127.0.0.1:${port}/hook`, secret: SECRET, now: () => NOW_MS });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** As the libraries of Standard Webhooks verify it. */
function verified({ headers, body }: Got): boolean {
  const content = `${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.${body}`;
  const key = Buffer.from(SECRET.slice('whsec_'.length), 'base64');
  return headers['webhook-signature'] === `v1,${createHmac('sha256', key).update(content).digest('base64')}`;
}

it('an event arrives signed, and a second copy is the same one', async () => {
  expect(await webhook.post(EVENT, never)).toMatchObject({ kind: 'sent' });
  expect(await webhook.post(EVENT, never)).toMatchObject({ kind: 'sent' });
  const [first, second] = got;
  if (first === undefined || second === undefined) throw new Error('two were sent');
  expect(verified(first)).toBe(true);
  expect(JSON.parse(first.body)).toEqual({
    type: 'alert.low_stock',
    timestamp: '2026-01-02T00:00:00.000Z',
    data: EVENT.data,
  });
  expect(first.headers).toMatchObject({
    'webhook-timestamp': '1800000000',
    'content-type': 'application/json',
  });
  expect(first.headers['webhook-id']).toMatch(/^evt_[0-9a-f]{32}$/);
  expect(second).toEqual(first);
  await webhook.post({ ...EVENT, id: 'another' }, never);
  expect(got[2]?.headers['webhook-id']).not.toBe(first.headers['webhook-id']);
});

it.each([
  [200, 'sent'],
  [302, 'fault'],
  [404, 'fault'],
  [410, 'refused'],
  [429, 'fault'],
  [500, 'fault'],
])('%d: %s, and nothing is sent elsewhere', async (code, kind) => {
  status = code;
  expect(await webhook.post(EVENT, never)).toMatchObject({ kind });
  expect(got).toHaveLength(1);
});

it('a receiver that is away is a fault that says why, and a stop ends the call', async () => {
  const away = createWebhook({
    url: `http://127.0.0.1:${await closedPort()}`,
    secret: SECRET,
    now: () => NOW_MS,
  });
  expect(await away.post(EVENT, never)).toMatchObject({
    kind: 'fault',
    detail: expect.stringContaining('ECONNREFUSED') as string,
  });
  await expect(webhook.post(EVENT, AbortSignal.abort())).rejects.toThrow();
});

it('a receiver that takes the event and never answers is a fault, though memory is collected meanwhile', async () => {
  const silent = http.createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}/hook`;
  const posted = createWebhook({ url, secret: SECRET, now: () => NOW_MS, timeoutMs: 300 }).post(EVENT, never);
  collectGarbage();
  expect(await posted).toEqual({ kind: 'fault', detail: `${url}: no answer within 0.3 s` });
  silent.closeAllConnections();
  silent.close();
});

function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as () => void)();
}
