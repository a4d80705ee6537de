import { expect, it } from 'vitest';
import { CatalogueCache } from '../../src/app/intake/catalogue.ts';
import { readCatalogue } from '../../src/app/send/checkout.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

it('prices are read once for many orders, and again at once after an edit, or soon', async () => {
  const clock = new FakeClock();
  const folder = new ModelFolder(clock);
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 1, price: '1.00' });
  let reads = 0;
  let fails = false;
  const cache = new CatalogueCache(async () => {
    reads += 1;
    if (fails) throw new Error('away');
    return readCatalogue(folder);
  }, clock);
  const price = async (): Promise<string | null | undefined> => (await cache.get()).prices.get('pen');
  expect(await Promise.all([price(), price(), price()])).toEqual(['1.00', '1.00', '1.00']);
  expect(reads).toBe(1);

  const before = folder.history.length;
  await folder.edit({ kind: 'item.update', item: 'pen', price: '2.00' });
  cache.note(folder.history.slice(before));
  expect(await price()).toBe('2.00');
  await folder.edit({ kind: 'item.update', item: 'pen', price: '3.00' });
  expect([await price(), reads]).toEqual(['2.00', 2]);
  await clock.sleep(2_000);
  expect([await price(), reads]).toEqual(['3.00', 3]);

  // A read that fails is none.
  await clock.sleep(2_000);
  fails = true;
  await expect(price()).rejects.toThrow('away');
  fails = false;
  expect(await price()).toBe('3.00');
});
