import path from 'node:path';
import { finish, openShop, startOrderctl, type Json, type Running, type Shop } from './cli.ts';
import { waitFor } from './wait.ts';

export interface CheckoutShop {
  readonly shop: Shop;
  readonly gateway: string;
  /** How the gateway's next requests fail; without `times`, all of them until this is set again. */
  readonly mood: (mood: string, times?: number) => Promise<void>;
  readonly books: () => Promise<Json>;
  /** Waits until the gateway has that many entries in its books. */
  readonly asked: (entries: number) => Promise<void>;
  readonly start: (...processors: readonly string[]) => Running;
  readonly stop: (run: Running) => Promise<void>;
  readonly place: (orderId: string, user: string, ...lines: readonly string[]) => Promise<void>;
  readonly order: (orderId: string) => Promise<Json>;
  /** Waits until the order has that status. */
  readonly becomes: (orderId: string, status: string) => Promise<Json>;
}

/** A shop with a broker, a registry and a payment gateway of its own, all of them `orderctl dev`. */
export async function openCheckoutShop(env: Readonly<Record<string, string>> = {}): Promise<CheckoutShop> {
  const { folder } = openShop();
  const flags = ['--port', '0', '--registry-port', '0', '--gateway-port', '0', '-o', 'json'];
  const dev = startOrderctl(['dev', ...flags, '--data', path.join(folder, 'dev')]);
  const stdout = await waitFor('the addresses of dev', dev.stdout, (text) => text.endsWith('\n'));
  const addresses = JSON.parse(stdout) as { broker: string; registry: string; gateway: string };
  const { gateway } = addresses;
  const shop = openShop({
    ORDERCTL_BROKERS: addresses.broker,
    ORDERCTL_REGISTRY: addresses.registry,
    ORDERCTL_GATEWAY: gateway,
    ...env,
  });
  const order = async (orderId: string): Promise<Json> => {
    const { code, stdout: shown } = await shop.run(['order', 'show', orderId, '-o', 'json']);
    return code === 0 ? (JSON.parse(shown) as Json) : ({ status: 'PENDING' } as unknown as Json);
  };
  const readBooks = async (): Promise<Json> => (await (await fetch(`${gateway}/books`)).json()) as Json;
  return {
    shop,
    gateway,
    order,
    mood: async (mood, times) => {
      const body = JSON.stringify({ mood, times: times ?? null });
      const response = await fetch(`${gateway}/mood`, { method: 'PUT', body });
      if (!response.ok) throw new Error(await response.text());
    },
    asked: async (entries) => {
      const isThere = ({ charges, declined, refunds }: Json): boolean =>
        Number(charges) + Number(declined) + Number(refunds) >= entries;
      await waitFor('entries in the books', readBooks, isThere, { timeoutMs: 60_000 });
    },
    books: readBooks,
    start: (...processors) => shop.start(['run', ...processors]),
    stop: async (run) => {
      run.signal('SIGINT');
      const { code, stderr } = await finish(run, 'run', 60_000);
      if (code !== 0) throw new Error(`run ended with ${code ?? '?'}: ${stderr}`);
    },
    place: async (orderId, user, ...lines) => {
      const items = lines.flatMap((line) => ['--item', line]);
      await shop.ok(['produce', '--flow', 'checkout', '--user', user, '--order-id', orderId, ...items]);
    },
    becomes: (orderId, status) =>
      waitFor(
        `order ${orderId} to be ${status}`,
        () => order(orderId),
        (found) => found.status === status,
        { everyMs: 200 },
      ),
  };
}
