import { expect, it } from 'vitest';
import { FakeClock } from '../../../support/fake-clock.ts';
import { ModelFolder } from '../../../support/model.ts';
import { receive } from '../../../support/receive.ts';
import { returns } from './returns.ts';

it('what comes back is on hand again, once', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 3 });
  const back = { return_id: 'R-1', item: 'pen', quantity: 2 };
  const results = await receive(folder, returns, [back, back, { ...back, return_id: 'R-2', item: 'none' }]);
  expect(results.map(({ kind }) => kind)).toEqual(['handled', 'seen', 'rejected']);
  expect(folder.tables.items.get('pen')?.quantity).toBe(5);
});
