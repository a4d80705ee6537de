import { expect, test } from 'vitest';
import { openCheckoutShop, type CheckoutShop } from '../../support/checkout-shop.ts';
import { fill, type Json } from '../../support/cli.ts';
import { expectCheckoutEven } from '../../support/run-kills/checkout-oracle.ts';
import { waitFor } from '../../support/wait.ts';

/* Money and stock of the checkout are even, whatever happens to the run and to the gateway. */

/** What is on hand by the owner, whom the CSV may lag behind. */
async function books({ shop }: CheckoutShop): Promise<unknown> {
  const { items } = await shop.json('inventory show');
  return (items as unknown as readonly { quantity: number }[])[0]?.quantity;
}

test(
  'kill -9 of a run while the gateway declines, fails, delays, loses answers and forgets keys: nothing is charged twice',
  { timeout: 180_000 },
  async () => {
    const world = await openCheckoutShop({ ORDERCTL_GATEWAY_RETRIES: '1s,1s,1s,1s' });
    const { shop } = world;
    const users = ['alice', 'decline-bob', 'error-carol', 'lose-dan', 'forget-eve', 'delay-fred'];
    fill(shop, Object.fromEntries(users.map((user) => [user, 'paid'])), {});
    shop.write('inventory.csv', 'item,quantity,price\nbook,30,2.50\n');
    for (let kill = 0; kill < 4; kill++) {
      const orders = users.map((user, at) => ({
        order_id: `K-${kill}-${at}`,
        user,
        items: [{ item: 'book', quantity: 2 }],
      }));
      const input = orders.map((order) => JSON.stringify(order)).join('\n');
      await shop.ok('produce --flow checkout --file -', { input });
      const run = world.start();
      // What it was asking for is not known any more: each kill is at another moment.
      await world.asked(1 + kill * 5);
      run.signal('SIGKILL');
      await run.exited;
    }
    // One that was killed with a charge under way waits a minute at most before it ends.
    await shop.ok('run --until-end', { timeoutMs: 120_000 });
    const totals = await world.books();
    expect(totals).toMatchObject({ charged_twice: [], refunded_twice: [] });
    const stock = await books(world);
    const ended = shop.jsonl('checkout.jsonl').filter(({ step }) => step === 'reserved').length;
    expect(stock).toBe(30 - 2 * ended);
    expect(Number(totals.charged) - Number(totals.refunded)).toBe(5 * ended);
    await shop.ok('audit --with-topic');
  },
);

test(
  'a run that is paused in a charge charges once; a charge of which nobody knows, and a refund that comes to nothing, are said, stay, and complete by redrive',
  { timeout: 180_000 },
  async () => {
    const world = await openCheckoutShop({ ORDERCTL_DISPATCH: 'manual', ORDERCTL_GATEWAY_RETRIES: '3s' });
    const { shop, place, becomes, order } = world;
    fill(shop, { alice: 'paid' }, {});
    shop.write('inventory.csv', 'item,quantity,price\nbook,10,2.50\n');
    const isParked = async (id: string, money: 'payment' | 'refund'): Promise<Json> =>
      waitFor(
        `the ${money} of ${id} to be parked`,
        () => order(id),
        (found) => (found[money] as { status?: string } | null)?.status === 'parked',
        { timeoutMs: 60_000, everyMs: 200 },
      );
    const codes = async (): Promise<unknown[]> =>
      (await shop.lines('dlq list --processor payment')).map((line) => line.error_code ?? null);
    const run = world.start();

    // Paused while it does not know of a charge: nobody takes its place, and it charges nothing twice when it wakes up.
    await world.mood('lose', 1);
    await place('O-paused', 'alice', 'book=1');
    await world.asked(1);
    run.signal('SIGSTOP');
    expect((await shop.run('run --until-end')).code).toBe(4);
    run.signal('SIGCONT');
    await becomes('O-paused', 'COMPLETED');
    expect(await world.books()).toMatchObject({ charges: 1, charged_twice: [] });

    // Its money moves, the answer is lost, and nobody can say so.
    await world.mood('lose', 1);
    await place('O-lost', 'alice', 'book=1');
    await world.asked(2);
    await world.mood('error');
    expect(await isParked('O-lost', 'payment')).toMatchObject({
      status: 'VALIDATED',
      payment: { attempts: 2 },
    });
    await waitFor('its dead letter', codes, (found) => found.includes('charge_unknown'));
    const explained = await shop.ok('order explain O-lost');
    expect(explained.stdout.replace(/\s+/g, ' ')).toContain(
      '"orderctl dlq list --processor payment" shows why the charge',
    );
    await world.mood('normal');
    await shop.ok('dlq redrive --all --processor payment --reason charge_unknown --execute');
    await becomes('O-lost', 'COMPLETED');

    await world.mood('error');
    await shop.ok('order cancel O-lost');
    expect(await isParked('O-lost', 'refund')).toMatchObject({
      status: 'CANCELLED',
      payment: { status: 'paid' },
    });
    await waitFor('its dead letter', codes, (found) => found.includes('refund_outstanding'));
    expect((await shop.ok('order explain O-lost')).stdout.replace(/\s+/g, ' ')).toContain('why the refund');
    expect((await shop.ok('audit --with-topic')).stdout).toContain('O-lost');
    await world.mood('normal');
    await shop.ok('dlq redrive --all --processor payment --reason refund_outstanding --execute');
    await waitFor(
      'the refund of O-lost',
      () => order('O-lost'),
      ({ refund }) => (refund as { status?: string } | null)?.status === 'paid',
      { timeoutMs: 60_000, everyMs: 200 },
    );
    await world.stop(run);
    expect(await world.books()).toMatchObject({
      charges: 2,
      charged: '5.00',
      refunds: 1,
      refunded: '2.50',
      charged_twice: [],
      refunded_twice: [],
    });
    expect(await books(world)).toBe(9);
    await shop.ok('audit --with-topic');
  },
);

test(
  'ten buyers, tills and those who change their minds race for the last one: one has it, and money is even',
  { timeout: 120_000 },
  async () => {
    const world = await openCheckoutShop({ ORDERCTL_DISPATCH_DELAY: '1s', ORDERCTL_EVENTS: 'true' });
    const { shop } = world;
    fill(shop, { alice: 'paid', 'delay-bob': 'paid', 'lose-carol': 'paid' }, {});
    shop.write('inventory.csv', 'item,quantity,price\nlast,1,2.50\n');
    const run = world.start();
    await run.says(/delivery reads/);
    const users = ['alice', 'delay-bob', 'lose-carol'];
    const lines = (prefix: string, many: number): string =>
      Array.from({ length: many }, (_, at) =>
        JSON.stringify({ order_id: `${prefix}-${at}`, user: users[at % 3], item: 'last', quantity: 1 }),
      ).join('\n');
    await Promise.all([
      shop.ok('produce --flow checkout --file -', { input: lines('buyer', 10) }),
      shop.ok('order cancel buyer-0 --yet-to-come --wait 0'),
      shop.ok('order cancel buyer-4 --yet-to-come --wait 0'),
      shop.ok('produce --file -', { input: lines('till', 3) }),
    ]);
    await world.stop(run);
    await shop.ok('run --until-end', { timeoutMs: 90_000 });
    const books = await world.books();
    const sold = shop.jsonl('orders.jsonl').length;
    await expectCheckoutEven({
      shop,
      gateway: { totals: () => books as never },
      brokers: shop.env.ORDERCTL_BROKERS ?? '',
      sent: Array.from({ length: 10 }, (_, at) => `buyer-${at}`),
      stock: { last: 1 - sold },
    });
    expect(sold).toBeLessThanOrEqual(1);
  },
);
