import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { DevGateway } from '../../../src/dev-gateway/dev-gateway.ts';
import { finish, type Running, type Shop } from '../cli.ts';
import { closedPort } from '../closed-port.ts';
import { expectCheckoutEven, openGatewayOfTest } from '../run-kills/checkout-oracle.ts';
import { SERVICES } from '../run-kills/checkout.ts';
import { waitFor } from '../wait.ts';

const CLIENTS = 3;
const PAUSE_MS = 100;
const AGAIN_MS = 50;
const PATIENT_MS = 300_000;

/** The item that the API's clients order. */
export const MUG = 'mug';

/**
 * All services in one process, `serve`, and clients of the API, each of which sends an order until it is answered with
 * 202.
 */
export class WholeShop {
  static readonly command = `run orders ${SERVICES}`;
  readonly #shop: Shop;
  readonly #gateway: DevGateway;
  readonly #server: Running;
  readonly #stop = new AbortController();
  /** No requests are answered any more. */
  #isOver = false;
  readonly #clients: readonly Promise<void>[];
  readonly #answered = { direct: [] as string[], checkout: [] as string[] };

  private constructor(shop: Shop, gateway: DevGateway, server: Running, url: string) {
    this.#shop = shop;
    this.#gateway = gateway;
    this.#server = server;
    onTestFinished(() => {
      this.#stop.abort();
      this.#isOver = true;
    });
    this.#clients = Array.from({ length: CLIENTS }, (_, client) => this.#place(url, client));
  }

  /** Settings for a shop that is to become a whole shop. */
  static async settings(): Promise<{ gateway: DevGateway; env: Readonly<Record<string, string>> }> {
    const gateway = await openGatewayOfTest();
    const env = {
      ORDERCTL_GATEWAY: gateway.url,
      ORDERCTL_GATEWAY_RETRIES: Array(60).fill('1s').join(),
      ORDERCTL_EVENTS: 'true',
      ORDERCTL_DISPATCH_DELAY: '1s',
    };
    return { gateway, env };
  }

  static async open(shop: Shop, gateway: DevGateway): Promise<WholeShop> {
    const port = await closedPort();
    const server = shop.start(`serve --port ${port} -o json`);
    await waitFor('its address', server.stdout, (text) => text.endsWith('\n'));
    return new WholeShop(shop, gateway, server, `http://127.0.0.1:${port}`);
  }

  /** Resolves when each order that was sent is answered. @returns the orders for the direct flow */
  async stop(): Promise<readonly string[]> {
    this.#stop.abort();
    const ended = this.#server.exited.then(({ code, stderr }) => {
      throw new Error(`serve ended with ${code ?? '?'}:\n${stderr}`);
    });
    ended.catch(() => undefined);
    await Promise.race([Promise.all(this.#clients), ended]);
    this.#server.signal('SIGTERM');
    const { code, stderr } = await finish(this.#server, 'serve', PATIENT_MS);
    expect(code, stderr).toBe(0);
    return this.#answered.direct;
  }

  /** To be called once nothing runs any more. @param stock what was put in, less what direct orders took */
  async expectEven(brokers: string, stock: Readonly<Record<string, number>>): Promise<void> {
    const { checkout: sent } = this.#answered;
    expect(sent).not.toEqual([]);
    await this.#shop.ok(`run ${SERVICES} --until-end`, { timeoutMs: PATIENT_MS });
    const ends = ['COMPLETED'] as const;
    await expectCheckoutEven({ shop: this.#shop, gateway: this.#gateway, brokers, sent, stock, ends });
  }

  async #place(url: string, client: number): Promise<void> {
    for (let number = 0; !this.#stop.signal.aborted; number += 1) {
      const kind = number % 2 === 0 ? 'direct' : 'checkout';
      const order_id = `api-${client}-${number}`;
      const order = { order_id, user: 'alice', item: MUG, quantity: 1, shipping_address: 'Main Street 1' };
      const path = kind === 'direct' ? '/order' : '/orders';
      while ((await post(`${url}${path}`, order)) !== 202) {
        if (this.#isOver) return;
        await sleep(AGAIN_MS);
      }
      this.#answered[kind].push(order_id);
      await sleep(PAUSE_MS);
    }
  }
}

/** @returns 0 when there was no answer @throws Error for any answer other than that the broker is down */
async function post(url: string, order: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(url, { method: 'POST', headers, body: JSON.stringify(order) }).catch(
    () => null,
  );
  if (response === null) return 0;
  const text = await response.text();
  if (![202, 503].includes(response.status)) throw new Error(`${url}: ${response.status} ${text}`);
  return response.status;
}
