import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { failureOf, openShop } from '../../support/cli.ts';
import { demoFolders, startDemo } from '../../support/demo.ts';

it(
  'a command that fails on the way ends it with 6 and what that command said',
  { timeout: 90_000 },
  async () => {
    const shop = openShop();
    const demo = startDemo(shop, '-o json');
    await demo.says(/\\n5\. /);
    const [folder = ''] = demoFolders(shop);
    fs.writeFileSync(path.join(shop.folder, folder, 'storage/users.csv'), 'user,status\nalice,sometimes\n');
    const result = await demo.exited;
    expect(result.code, result.stderr).toBe(6);
    expect(failureOf(result)).toMatchObject({ code: 'check_failed' });
    expect(failureOf(result).message).toMatch(/orderctl .* ended with 6: .*users\.csv:2/s);
  },
);
