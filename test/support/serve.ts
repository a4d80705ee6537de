import { fill, openShop, type Running, type Shop } from './cli.ts';
import { waitFor } from './wait.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export type Call = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<Answer>;

/** Starts `orderctl serve` on a free port. */
export async function serve(shop: Shop, args = ''): Promise<{ server: Running; call: Call; url: string }> {
  const server = shop.start(`serve --port 0 ${args} -o json`);
  await waitFor('address', server.stdout, (text) => text.endsWith('\n'));
  const { url } = JSON.parse(server.stdout()) as { url: string };
  const call: Call = async (method, where, body, headers = {}) => {
    const response = await fetch(`${url}${where}`, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: response.headers.get('content-type')?.includes('json') === true ? JSON.parse(text) : text,
    };
  };
  return { server, call, url };
}

export function shopWith(items: Record<string, number>): Shop {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, items);
  return shop;
}
