import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { fill, openShop, type Running, type Shop } from './cli.ts';
import { closedPort } from './closed-port.ts';
import type { KillableBroker } from './killable-broker.ts';
import { waitFor } from './wait.ts';

const CLIENTS = 6;
/** A client's pause between the answer to one order and the next order. */
const PAUSE_MS = 30;
const LONGEST_LIFE_MS = 300;

/** What the clients know. */
interface Ledger {
  /** Ids that were answered with 202. */
  readonly answered: string[];
  /** Requests in flight. */
  open: number;
  /** Number of requests without an answer or with another one: each was sent again under its id. */
  again: number;
}

/**
 * Kills server and broker, one at a time, while requests are in flight; then reads to the end and requires that each
 * order that was answered with 202 exists once, and that no order was ever unknown by its id.
 */
export async function killServe(
  broker: KillableBroker,
  kills: number,
  random: () => number,
): Promise<Ledger> {
  const shop = openShop({ ORDERCTL_BROKERS: broker.address });
  fill(shop, { alice: 'paid' }, {});
  await shop.ok('inventory add --item pen --quantity 10000000 --price 1.00');
  const port = await closedPort();
  const url = `http://127.0.0.1:${port}`;
  let server = await startServer(shop, port);
  const ledger: Ledger = { answered: [], open: 0, again: 0 };
  const stop = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, number) => place(url, number, ledger, stop.signal));
  for (let kill = 0; kill < kills; kill += 1) {
    const { length } = ledger.answered;
    await waitFor('an answer', () => ledger.answered.length > length);
    await sleep(random() * LONGEST_LIFE_MS);
    await waitFor('a request', () => ledger.open > 0, Boolean, { everyMs: 1 });
    if (random() < 0.6) await broker.killAndRestart();
    else {
      server.signal('SIGKILL');
      await server.exited;
      server = await startServer(shop, port);
      // An order sent by another process is found where it waits, or the answer says that the broker is down; it is
      // never unknown.
      const response = await fetch(`${url}/orders/${ledger.answered.at(-1) ?? ''}`);
      expect(response.status, await response.text()).toBe(200);
    }
  }
  stop.abort();
  await Promise.all(clients);
  server.signal('SIGTERM');
  expect(await server.exited).toMatchObject({ code: 0 });
  await shop.ok('consume --until-end --quiet');
  await shop.ok('run validation --until-end');
  expectAll(shop, ledger);
  return ledger;
}

async function startServer(shop: Shop, port: number): Promise<Running> {
  const server = shop.start(`serve --port ${port} -o json`);
  await waitFor('address', server.stdout, (text) => text.endsWith('\n'), { timeoutMs: 60_000, everyMs: 10 });
  return server;
}

/** Places one order after the other, each again until it is answered with 202. */
async function place(url: string, client: number, ledger: Ledger, signal: AbortSignal): Promise<void> {
  for (let number = 0; !signal.aborted; number += 1) {
    const order_id = `K-${client}-${number}`;
    const path = number % 4 === 0 ? '/orders' : '/order';
    const order = { order_id, user: 'alice', item: 'pen', quantity: 1, shipping_address: 'Main Street 1' };
    for (;;) {
      ledger.open += 1;
      const status = await post(`${url}${path}`, order);
      ledger.open -= 1;
      if (status === 202) break;
      // The only allowed failures: the broker or the server is down.
      expect([0, 503], order_id).toContain(status);
      ledger.again += 1;
      await sleep(20);
    }
    ledger.answered.push(order_id);
    await sleep(PAUSE_MS);
  }
}

/** @returns 0 when there was no answer */
async function post(url: string, order: object): Promise<number> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(order),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}

function expectAll(shop: Shop, { answered }: Ledger): void {
  const direct = [...shop.jsonl('orders.jsonl'), ...shop.jsonl('rejections.jsonl')];
  const checkout = shop.jsonl('checkout.jsonl');
  const ids = [...direct, ...checkout].map(({ order_id }) => order_id);
  expect(new Set(ids).size, 'decided once').toBe(ids.length);
  const known = new Set(ids);
  expect(
    answered.filter((id) => !known.has(id)),
    'answered and lost',
  ).toEqual([]);
  // The clients continued until each was answered.
  expect(ids.length).toBe(answered.length);
}
