import { expect, test } from 'vitest';
import type { Json } from '../../support/cli.ts';
import { expectValidated } from '../../support/documents.ts';
import { runStepsBeside, stepsOf, type Step } from '../../support/pages.ts';
import { openCheckoutShop } from '../../support/checkout-shop.ts';

const GATEWAY_THERE = 'http://127.0.0.1:8090';

/** The page starts what goes on until Ctrl-C in terminals of their own. */
const isNoTerminal = ({ commands }: Step): boolean =>
  !commands.some(({ line }) => / dev --gateway-port | run .*manual$/.test(line));

const stepsOfOrder = (order: Json): string[] =>
  (order.timeline as readonly { step: string }[]).map(({ step }) => step);

/** docs/checkout.md: the scenario in every way an order can end, as it is typed there. */
test(
  'docs/checkout.md: paid, declined, gone, rejected, cancelled, a gateway that is down, and any order of services',
  {
    timeout: 240_000,
  },
  async () => {
    const world = await openCheckoutShop();
    const { shop, gateway, order } = world;
    const page = stepsOf('docs/checkout.md');
    const walk = (title: string): Promise<void> =>
      runStepsBeside(shop, (page.get(title) ?? []).filter(isNoTerminal), {
        here: (text) => text.replaceAll(GATEWAY_THERE, gateway),
        there: (text) => text.replaceAll(gateway, GATEWAY_THERE),
      });
    await walk('Ten books');
    const [start = ''] = [...page.values()].flat().flatMap(({ commands }) => {
      return commands.flatMap(({ line }) => /^npx orderctl (run .*manual)$/.exec(line)?.[1] ?? []);
    });
    const run = shop.start(start.replace(GATEWAY_THERE, gateway));
    await walk('Validated, not paid yet');
    await walk('Paid and completed');
    const four = await order('O-four');
    expect(four).toMatchObject({
      flow: 'checkout',
      total_amount: '10.00',
      user: 'alice',
      payment: { status: 'paid', amount: '10.00', attempts: 1 },
      shipment: { status: 'created' },
    });
    expect(stepsOfOrder(four)).toEqual(['validated', 'charge_owed', 'paid', 'reserved']);
    await walk('Declined');
    expect(await order('O-declined')).toMatchObject({
      reason: 'card_declined',
      payment: { status: 'declined' },
    });
    await walk('Too late');
    const gone = await order('O-seven');
    expect(gone).toMatchObject({ reason: 'insufficient_stock', payment: { attempts: 2 }, shipment: null });
    expect(stepsOfOrder(gone)).toEqual([
      'validated',
      'charge_owed',
      'paid',
      'gone',
      'refund_owed',
      'refunded',
    ]);
    await walk('Cancelled');
    expect(await shop.json('order cancel O-back')).toMatchObject({ outcome: 'done', status: 'CANCELLED' });
    expectValidated('order cancel');
    expect(await shop.json('order dispatch O-four')).toMatchObject({ outcome: 'done' });
    expectValidated('order dispatch');
    expect(await order('O-four')).toMatchObject({
      status: 'COMPLETED',
      shipment: { status: 'dispatched', carrier: 'DHL', tracking_number: 'O-four' },
    });
    expect((await shop.run('order dispatch O-back')).code).toBe(4);
    expect((await shop.run('order cancel O-unknown')).code).toBe(3);
    await walk('The gateway is down');
    await run.says(/payment of O-down is parked after 3 tries/);
    await walk('Stopped and started in any order');
    expect((await run.exited).code).toBe(0);
  },
);
