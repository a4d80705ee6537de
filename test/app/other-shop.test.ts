import { expect, it } from 'vitest';
import { refuseOtherShop } from '../../src/app/offsets/other-shop.ts';
import { markOf } from '../../src/app/offsets/plan.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const OF_ALL = [{ processor: 'orders', group: 'orderctl', topics: ['orders', 'orders.checkout'] }] as const;

it('another shop is known by the members of its groups, and by its mark after their end', async () => {
  const broker = new ScriptedBroker();
  broker.createTopic('orders');
  const look = async (storeId: string | null): Promise<void> =>
    refuseOtherShop(await broker.admin(), storeId, OF_ALL);
  await look(null);

  const about = { memberId: 'm', host: 'h', process: null, sessionTimeoutMs: null };
  broker.members = [{ ...about, clientId: markOf('a') }];
  await look('a');
  for (const id of ['b', null]) await expect(look(id)).rejects.toMatchObject({ code: 'group_in_use' });

  broker.members = [];
  broker.committedBy.set('0', { partition: 0, offset: 7, metadata: markOf('a') });
  await look('a');
  for (const id of ['b', null]) await expect(look(id)).rejects.toMatchObject({ code: 'group_marked' });

  // Moved by another tool: that is honoured.
  broker.committedBy.set('0', { partition: 0, offset: 7, metadata: '' });
  await look('b');
});
