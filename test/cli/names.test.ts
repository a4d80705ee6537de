import { expect, it } from 'vitest';
import { openShop } from '../support/cli.ts';

it('a name may stand alone or behind its flag, and verbs have other words', async () => {
  const shop = openShop();
  expect((await shop.ok('user add alice --status paid')).stdout).toBe('user alice added (paid)\n');
  await shop.ok('user add zoe --status unpaid');
  await shop.ok('user add bob --status unpaid');
  await shop.ok('inventory add book --quantity 10');
  expect((await shop.ok('user update bob --status paid')).stdout).toContain('unpaid → paid');
  expect((await shop.ok('inventory update book --by -3')).stdout).toContain('10 → 7');
  expect((await shop.ok('user show bob')).stdout).toBe('USER  STATUS\nbob   paid\n');
  expect((await shop.ok('user list bob --user bob')).stdout).toBe('USER  STATUS\nbob   paid\n');
  expect((await shop.ok('inventory list book')).stdout).toContain('book         7');
  expect((await shop.ok('user delete alice -y')).stdout).toContain('alice removed');
  expect((await shop.run('inventory delete pen -y')).code).toBe(3);
});

it('users are selected by status and sorted by name', async () => {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nzoe,unpaid\nalice,paid\nbob,unpaid\n');
  const names = async (args: string): Promise<string[]> =>
    (await shop.ok(`user show ${args} -o csv`)).stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.replace(/,.*/, ''));
  expect(await names('')).toEqual(['zoe', 'alice', 'bob']);
  expect(await names('--sort')).toEqual(['alice', 'bob', 'zoe']);
  expect(await names('--status unpaid --sort')).toEqual(['bob', 'zoe']);
  shop.write('inventory.csv', 'item,quantity\npen,1\nbook,2\n');
  expect((await shop.ok('inventory show --sort')).stdout).toMatch(/book(.|\n)*pen/);
  const none = await shop.run('user show --status gone');
  expect(none).toMatchObject({ code: 2, stdout: '' });
});
