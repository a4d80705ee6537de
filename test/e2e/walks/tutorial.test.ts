import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { openShop } from '../../support/cli.ts';
import { blockOf, runSteps, stepsOf } from '../../support/pages.ts';
import { createTopic, sendRaw, setLevel, testBrokers, testRegistry } from '../../support/topics.ts';

/** docs/tutorial.md: its commands and its program, as they are written there. */
const PAGE = 'docs/tutorial.md';
const ROOT = path.resolve(import.meta.dirname, '../../..');

test('the tutorial: a schema gets a field while orders of the former one come', async () => {
  const shop = openShop();
  // Of one partition, so that orders are decided as they came.
  await createTopic(shop.topic, 1);
  await setLevel(`${shop.topic}-value`, 'BACKWARD');
  const sections = stepsOf(PAGE);
  const save = (name: string, text: string): void => fs.writeFileSync(path.join(shop.folder, name), text);
  const schema = blockOf(PAGE, 'json');
  const before: Readonly<Record<string, () => unknown>> = {
    'A field without a default': () => save('order-v2.avsc', schema),
    'Version 2': () =>
      save('order-v2.avsc', schema.replace(/("name": "channel".*)(?= \})/, '$1, "default": "web"')),
    'Both at once': async () => {
      save('send-v2.mjs', blockOf(PAGE, 'js').replaceAll(/\borders(?=['-])/g, shop.topic));
      fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(shop.folder, 'node_modules'));
      const env = { ...process.env, ORDERCTL_BROKERS: testBrokers(), ORDERCTL_REGISTRY: testRegistry() };
      const { stdout } = await promisify(execFile)(process.execPath, ['send-v2.mjs'], {
        cwd: shop.folder,
        env,
      });
      expect(stdout).toMatch(/^sent O-2 by schema \d+\n$/);
    },
    'A record that is no order': () => sendRaw(shop.topic, [{ value: 'hello' }]),
  };
  expect([...sections.keys()]).toEqual(expect.arrayContaining(Object.keys(before)));
  for (const [title, steps] of sections) {
    await before[title]?.();
    await runSteps(shop, steps);
  }
});
