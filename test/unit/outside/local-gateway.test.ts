import { expect, it } from 'vitest';
import { createLocalGateway } from '../../../src/adapters/gateway/local.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';

const never = new AbortController().signal;

it("who is paid in the shop's table pays, everybody else is declined, and a key has one answer", async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' });
  const gateway = createLocalGateway(async (user) => folder.state().status(user));
  const of = { orderId: 'O-1', amount: '2.50', traceparent: null };
  const ask = (customerId: string) => gateway.charge({ ...of, key: 'shop:O-1:charge', customerId }, never);
  expect(await ask('alice')).toEqual({ kind: 'paid', reference: 'local:shop:O-1:charge' });
  expect(await ask('alice')).toEqual(await ask('alice'));
  expect(await ask('bob')).toEqual({ kind: 'declined', reason: 'user_not_paid', reference: null });
  expect(await ask('zoe')).toMatchObject({ kind: 'declined', reason: 'unknown_user' });
  const refund = { ...of, key: 'shop:O-1:refund', customerId: 'bob' };
  expect(await gateway.refund(refund, never)).toEqual({ kind: 'paid', reference: 'local:shop:O-1:refund' });
  expect(await gateway.lookUp('shop:O-1:charge', never)).toBeNull();
});
