import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { sendHttp, type HttpRequest } from '../../../src/adapters/avro/registry/http.ts';

/** @returns the URL of a server that answers as `answer` does */
async function serve(answer: http.RequestListener): Promise<string> {
  const server = http.createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function get(url: string, more: Partial<HttpRequest> = {}): HttpRequest {
  const plain = { method: 'GET', authorization: null, headers: {}, body: null };
  return { url, ...plain, timeoutMs: 20_000, maxBytes: 1024, ...more };
}

describe('one HTTP request', () => {
  it('sends method, headers and body, and reads the answer whatever its status', async () => {
    const url = await serve((request, response) => {
      let body = '';
      request.on('data', (part: Buffer) => (body += part.toString('utf8')));
      request.on('end', () => {
        const { authorization, accept } = request.headers;
        response.writeHead(409).end(JSON.stringify({ method: request.method, authorization, accept, body }));
      });
    });
    const more = { method: 'POST', body: '{"é":1}', authorization: 'Basic x', headers: { accept: 'a/b' } };
    const { status, text, cut } = await sendHttp(get(url, more));
    expect({ status, cut }).toEqual({ status: 409, cut: false });
    expect(JSON.parse(text)).toEqual({
      method: 'POST',
      authorization: 'Basic x',
      accept: 'a/b',
      body: '{"é":1}',
    });
  });

  it('reads no more than it may, however much there is', async () => {
    const url = await serve((_, response) => {
      response.on('error', () => undefined);
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(1000)));
      };
      response.on('drain', more);
      more();
    });
    const { text, cut } = await sendHttp(get(url));
    expect(cut).toBe(true);
    expect(text.length).toBeLessThanOrEqual(1024);
  });

  it('gives up in time, before the answer and within it', async () => {
    const silent = await serve(() => undefined);
    const slow = await serve((_, response) => void response.write('{'));
    for (const url of [silent, slow]) {
      await expect(sendHttp(get(url, { timeoutMs: 100 }))).rejects.toMatchObject({ name: 'TimeoutError' });
    }
  });

  it('an answer that breaks off is none', async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 10 });
      response.write('{', () => response.destroy());
    });
    await expect(sendHttp(get(url))).rejects.toThrow();
  });

  it('follows a redirection, and gives another host no password', async () => {
    const there = await serve((request, response) => {
      response.end(`${request.url ?? ''} ${request.headers.authorization ?? 'nobody'}`);
    });
    const here = await serve((request, response) => {
      if (request.url === '/b') response.end(request.headers.authorization);
      else response.writeHead(302, { location: request.url === '/a' ? '/b' : `${there}/c` }).end();
    });
    const as = { authorization: 'Basic x' };
    expect((await sendHttp(get(`${here}/a`, as))).text).toBe('Basic x');
    expect((await sendHttp(get(`${here}/`, as))).text).toBe('/c nobody');
    // What is sent is not sent again in another form.
    expect((await sendHttp(get(`${here}/a`, { method: 'POST', body: '{}' }))).status).toBe(302);
    const circle = await serve((_, response) => response.writeHead(307, { location: '/' }).end());
    await expect(sendHttp(get(circle))).rejects.toThrow('redirects');
  });
});
