import { expect, test } from 'vitest';
import { penShop } from '../support/cli.ts';
import { createTopic, pens, sendRaw } from '../support/topics.ts';

test('what a compacted dead-letter topic refuses is kept aside, and consumption goes on', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await createTopic(shop.dlqTopic, 1, undefined, { 'cleanup.policy': 'compact' });
  await sendRaw(shop.topic, [
    { value: 'no key, no order' },
    { key: 'k', value: 'no order' },
    ...pens('a', 1),
  ]);
  const { stderr } = await shop.ok('consume --until-end');
  expect(stderr).toMatch(/refuses .*kept in .orderctl.undelivered/);
  expect(shop.stock()).toEqual({ pen: 49 });
  const letters = await shop.lines('dlq list');
  expect(letters.at(-1)).toMatchObject({ type: 'summary', total: 2 });

  const plan = await shop.ok('topics apply');
  expect(plan.stdout).toContain('cleanup.policy compact → delete');
  expect(plan.stderr).toContain(`${shop.dlqTopic} is compacted`);
  expect((await shop.run('doctor')).stdout).toMatch(/^warning +topics /m);
  await shop.ok('topics apply --execute');
  expect((await shop.ok('topics show')).stdout).not.toContain('compacted');
});
