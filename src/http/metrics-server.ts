import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Meter } from '../ports/outside/meter.ts';
import { tokenCheck } from './access.ts';

export interface MetricsServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** The bearer token, as for the API. */
  readonly token: string | null;
}

/**
 * Serves /metrics until disposal, and /healthz for a supervisor that restarts the process if it does not answer. A
 * process that handles orders loads no other HTTP code.
 *
 * @returns `url` of the metrics
 * @throws the system error if the address cannot be listened on
 */
export async function startMetrics(
  meter: Meter,
  { host, port, token }: MetricsServerOptions,
): Promise<AsyncDisposable & { readonly url: string }> {
  const isAllowed = token === null ? () => true : tokenCheck(token);
  const server = createServer((request, response) => {
    void answer(request, response, { meter, isAllowed });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  // The server does not keep the process alive once its work ends.
  server.unref();
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}/metrics`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { url = '', method = '', headers }: IncomingMessage,
  response: ServerResponse,
  { meter, isAllowed }: { meter: Meter; isAllowed: (authorization: string | undefined) => boolean },
): Promise<void> {
  const say = (status: number, text: string, more: Record<string, string> = {}): void => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...more });
    response.end(method === 'HEAD' ? undefined : text);
  };
  const path = url.split('?')[0];
  // As in the API, no token: it reveals nothing.
  if (path === '/healthz') say(200, 'ok\n');
  else if (!isAllowed(headers.authorization))
    say(401, 'send the header "Authorization: Bearer TOKEN"\n', { 'www-authenticate': 'Bearer' });
  else if (path !== '/metrics') say(404, 'only /metrics and /healthz exist\n');
  else if (method !== 'GET' && method !== 'HEAD') say(405, 'use GET\n', { allow: 'GET, HEAD' });
  else say(200, await meter.text(), { 'content-type': meter.contentType });
}
