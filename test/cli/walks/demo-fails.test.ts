import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { failureOf, openShop } from '../../support/cli.ts';
import { demoFolders, startDemo } from '../../support/demo.ts';
import { expectValidated } from '../../support/documents.ts';

it(
  'a command that fails on the way ends it with 6 and what that command said',
  { timeout: 240_000 },
  async () => {
    const shop = openShop();
    const demo = startDemo(shop, '-o json');
    await demo.says(/\\n5\. /, 150_000);
    const [folder = ''] = demoFolders(shop);
    fs.writeFileSync(path.join(shop.folder, folder, 'storage/users.csv'), 'user,status\nalice,sometimes\n');
    const result = await demo.exited;
    expect(result.code, result.stderr).toBe(6);
    expect(failureOf(result)).toMatchObject({ code: 'check_failed' });
    expect(failureOf(result).message).toMatch(/orderctl .* exited with 6: .*users\.csv:2/s);
  },
);

it('a promise that was not kept: ✗, 6, and the folder is left', { timeout: 240_000 }, async () => {
  const shop = openShop();
  const demo = startDemo(shop, '-o json');
  await demo.says(/\\n5\. /, 150_000);
  const [folder = ''] = demoFolders(shop);
  // An order that was sent, as far as anybody can tell, and that nobody ever decides.
  fs.appendFileSync(path.join(shop.folder, folder, 'sent.jsonl'), '{"type":"sent","order_id":"lost"}\n');
  const result = await demo.exited;
  expect(result.code, result.stderr).toBe(6);
  expectValidated('demo');
  const { ok, promises } = JSON.parse(result.stdout) as {
    ok: boolean;
    promises: { promise: string; ok: boolean }[];
  };
  expect(ok).toBe(false);
  expect(promises.filter((one) => !one.ok).map((one) => one.promise)).toContain(
    'nothing is lost, nothing is silent',
  );
  expect(failureOf(result)).toMatchObject({ code: 'check_failed', exit_code: 6 });
  expect(failureOf(result).fix).toContain(folder);
  expect(demoFolders(shop)).toEqual([folder]);
});
