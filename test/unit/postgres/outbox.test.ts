import { expect, test } from 'vitest';
import type { LastingConnection } from '../../../src/adapters/postgres/lasting.ts';
import { Outbox } from '../../../src/adapters/postgres/outbox.ts';
import { Shards } from '../../../src/adapters/postgres/owner/shards.ts';
import { Turns } from '../../../src/adapters/postgres/turns.ts';

/** Answers what an outbox asks for: one message waits in shard 3, and all shards are this process's. */
function database(leases: { held: number[][]; underWay: number; most: number }): LastingConnection {
  const query = async (text: string): Promise<readonly object[]> => {
    if (text.includes('outbox_shards')) {
      leases.underWay += 1;
      leases.most = Math.max(leases.most, leases.underWay);
      await new Promise((resolve) => setImmediate(resolve));
      leases.underWay -= 1;
      return (leases.held.shift() ?? []).map((shard) => ({ shard }));
    }
    if (text.includes('RECURSIVE')) return [{ destination: 'd', waiting: 1 }];
    return [];
  };
  return { query } as unknown as LastingConnection;
}

test('a process whose lease ended while it was held up looks at all that others have left to it', async () => {
  const leases = { held: [[3]], underWay: 0, most: 0 };
  const connection = database(leases);
  let looks = 0;
  const outbox = new Outbox(connection, new Turns('shop', undefined), new Shards('a'), () => (looks += 1));
  await outbox.recount(connection);
  await outbox.drain('d', async () => []);
  expect(looks).toBe(1);
});

test('two leases of a process are taken one after the other', async () => {
  const leases = { held: [[3], [3]], underWay: 0, most: 0 };
  const shards = new Shards('a');
  const both = await Promise.all([shards.lease(database(leases)), shards.lease(database(leases))]);
  expect(both).toEqual([true, false]);
  expect(leases.most).toBe(1);
});
