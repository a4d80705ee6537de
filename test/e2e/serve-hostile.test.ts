import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { serve, shopWith } from '../support/serve.ts';
import { waitFor } from '../support/wait.ts';

/** A connection that reads what comes, unless it is paused. */
function connect(url: string): { socket: net.Socket; text: () => string; hasEnded: () => boolean } {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let text = '';
  let hasEnded = false;
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
  socket.on('error', () => undefined).on('close', () => (hasEnded = true));
  onTestFinished(() => void socket.destroy());
  return { socket, text: () => text, hasEnded: () => hasEnded };
}

test('requests that are too slow, too long or no HTTP are refused, and hold up no other', async () => {
  const { call, url } = await serve(shopWith({ pen: 5 }));
  const slow = Array.from({ length: 50 }, (_, at) => {
    const one = connect(url);
    const begin =
      at % 2 === 0
        ? 'POST /order HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{'
        : 'GET / HT';
    one.socket.write(begin);
    const drip = setInterval(() => one.socket.write(at % 2 === 0 ? ' ' : 'T'), 500);
    one.socket.on('close', () => clearInterval(drip));
    return one;
  });
  const long = connect(url);
  long.socket.write(`GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(100_000)}\r\n\r\n`);
  await waitFor('the refusal', long.text, (text) => text.startsWith('HTTP/1.1 431'));
  expect(long.text()).toContain('application/problem+json');
  const broken = connect(url);
  broken.socket.write('\u0016\u0003\u0001 no HTTP\r\n\r\n');
  await waitFor('the refusal', broken.text, (text) => text.startsWith('HTTP/1.1 400'));
  const unknown = connect(url);
  unknown.socket.write('BREW /coffee HTTP/1.1\r\nHost: a\r\n\r\n');
  await waitFor('the refusal', unknown.text, (text) => text.startsWith('HTTP/1.1 501'));
  const headers = { 'content-type': 'application/json' };
  const noJson = await fetch(`${url}/order`, { method: 'POST', headers, body: '{bad' });
  expect(await noJson.json()).toMatchObject({
    status: 400,
    fix: 'send valid JSON; see /docs for what each call accepts',
  });
  const unknownFields = '"__proto__": {"quantity": 5}, "constructor": {"prototype": {"quantity": 5}}';
  const body = `{"user": "bob", "item": "pen", "quantity": 1, "items_": [{${unknownFields}}], ${unknownFields}}`;
  expect((await fetch(`${url}/order?flow=direct`, { method: 'POST', headers, body })).status).toBe(202);
  expect((await call('GET', '/inventory')).status).toBe(200);
  await waitFor('the end of the slow ones', () => slow.every(({ hasEnded }) => hasEnded()), Boolean, {
    timeoutMs: 60_000,
  });
  expect(slow[0]?.text()).toMatch(/^HTTP\/1\.1 408/);
});

test('requests that are sent without waiting for answers are answered in turn', async () => {
  const { url } = await serve(shopWith({ pen: 5 }));
  const one = connect(url);
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  one.socket.write(
    Array.from({ length: 200 }, (_, n) => get(n % 2 === 0 ? '/users/bob' : '/users/no')).join(''),
  );
  const statuses = (): string[] => [...one.text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code = '']) => code);
  await waitFor('all answers', statuses, ({ length }) => length === 200);
  expect(statuses()).toEqual(Array.from({ length: 200 }, (_, n) => (n % 2 === 0 ? '200' : '404')));
});
