import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fill, openShop, type Shop } from '../support/cli.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function completed(shop: Shop, ...words: string[]): Promise<string[]> {
  const { stdout } = await shop.ok(['__complete', ...words]);
  return stdout.split('\n').filter((line) => line !== '');
}

function shopOfNames(): Shop {
  const shop = openShop();
  fill(shop, { alice: 'paid', albert: 'unpaid', bob: 'unpaid' }, { pen: 5 });
  return shop;
}

describe('completion', () => {
  it('knows commands, their parts and their flags', async () => {
    const shop = openShop();
    expect(await completed(shop, 'in')).toEqual(['inventory']);
    expect(await completed(shop, '')).toEqual(
      expect.arrayContaining(['user', 'consume', 'dlq', 'completion']),
    );
    expect(await completed(shop, '')).not.toContain('__complete');
    expect(await completed(shop, 'offsets', 're')).toEqual(['reset']);
    expect(await completed(shop, 'consume', '--un')).toEqual(['--until-end']);
    expect(await completed(shop, 'nonsense', '--un')).toEqual([]);
  });

  it('knows users, items, and the latest order ids of the folder', async () => {
    const shop = shopOfNames();
    expect(await completed(shop, 'user', 'show', '--user', 'al')).toEqual(['alice', 'albert']);
    expect(await completed(shop, 'user', 'update', '--user=al')).toEqual(['--user=alice', '--user=albert']);
    // As bash takes it apart.
    expect(await completed(shop, 'user', 'update', '--user', '=', 'b')).toEqual(['bob']);
    expect(await completed(shop, 'inventory', 'update', '--item', '')).toEqual(['pen']);
    const line = (id: string): string => `{"order_id":"${id}","user":"alice","items":[]}\n`;
    shop.write('orders.jsonl', [...Array.from({ length: 5_000 }, (_, i) => line(`ORD-${i}`))].join(''));
    shop.write('rejections.jsonl', line('ORD-499x'));
    expect(await completed(shop, 'order', 'show', 'ORD-499')).toEqual([
      ...['9', '8', '7', '6', '5', '4', '3', '2', '1', '0', 'x'].map((end) => `ORD-499${end}`),
    ]);
    expect(await completed(shop, '--storage', 'elsewhere', 'user', 'show', '--user', '')).toEqual([]);
  });

  it('knows the words of a flag, and leaves files to the shell', async () => {
    const shop = openShop();
    expect(await completed(shop, 'user', 'add', '--status', '')).toEqual(['paid', 'unpaid']);
    expect(await completed(shop, 'order', 'list', '--status', 'r')).toEqual(['rejected']);
    expect(await completed(shop, 'user', 'show', '-o', 'j')).toEqual(['json']);
    expect(await completed(shop, 'produce', '--file', '')).toEqual([':files']);
    expect(await completed(shop, 'completion', 'f')).toEqual(['fish']);
    expect(await completed(shop, 'offsets', 'show', '--processor', 'pa')).toEqual(['payment']);
  });

  it('says nothing where something is wrong', async () => {
    const shop = openShop();
    fs.mkdirSync(shop.storage);
    shop.write('users.csv', 'nonsense\n');
    expect(await completed(shop, 'user', 'show', '--user', '')).toEqual([]);
  });

  it('refuses a shell that it does not know', async () => {
    expect((await openShop().run('completion powershell')).code).toBe(2);
  });
});

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** What the shell's own completion makes of a line, asked as each shell allows. */
const ASK: Readonly<Record<'bash' | 'zsh' | 'fish', string>> = {
  bash: `source <(orderctl completion bash)
COMP_WORDS=(orderctl user show --user al); COMP_CWORD=4; _orderctl; printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `compdef() { :; }; compadd() { shift; print -l -- "$@"; }
eval "$(orderctl completion zsh)"
words=(orderctl user show --user al); CURRENT=5; _orderctl`,
  fish: `orderctl completion fish | source
complete -C 'orderctl user show --user al'`,
};

describe.each(['bash', 'zsh', 'fish'] as const)('%s', (shell) => {
  it.skipIf(!has(shell))('completes users by its script', async () => {
    const shop = shopOfNames();
    const bin = path.join(shop.folder, 'bin');
    fs.mkdirSync(bin);
    fs.writeFileSync(
      path.join(bin, 'orderctl'),
      `#!/bin/sh\nexec "${process.execPath}" "${ROOT}/bin/orderctl" "$@"\n`,
      {
        mode: 0o755,
      },
    );
    const { stdout, stderr } = spawnSync(shell, ['-c', ASK[shell]], {
      cwd: shop.folder,
      env: { ...process.env, ...shop.env, PATH: `${bin}:${process.env.PATH ?? ''}` },
      encoding: 'utf8',
    });
    expect(stdout.trim().split('\n').sort(), stderr).toEqual(['albert', 'alice']);
  });
});
