import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, finish, observe, openShop, type Shop } from '../support/cli.ts';

const BINARY = path.resolve(import.meta.dirname, '../../bin/orderctl');
const isLinux = process.platform === 'linux';
if (!isLinux) process.stderr.write('SKIPPED: an editor on a terminal, which script(1) of Linux makes\n');

async function stocked(): Promise<Shop> {
  const shop = openShop();
  await shop.ok('inventory add --item book --quantity 10 --price 12.50');
  await shop.ok('inventory add --item pen --quantity 50');
  return shop;
}

/** The path behind --resume in what was said. */
function keptCopy(said: string): string {
  return /--resume (\S+)/.exec(said)?.[1] ?? '';
}

function copies(shop: Shop): string[] {
  return fs.readdirSync(path.join(shop.storage, '.orderctl')).filter((name) => name.startsWith('edit-'));
}

describe('edit', () => {
  it('takes over what the editor changed, and says what that was', async () => {
    const shop = await stocked();
    const edit = ['inventory', 'edit', '--with', "sed -i -e 's/^pen,50/pen,70/' -e '$acup,3,'"];
    expect(await shop.ok(edit)).toMatchObject({
      stdout: 'item pen updated: quantity 50 → 70\nitem cup added (quantity 3)\n',
      stderr: 'inventory.csv: 1 added, 1 changed, 0 removed\n',
    });
    expect(shop.stock()).toEqual({ book: 10, pen: 70, cup: 3 });
    await shop.ok('user add --user bob --status unpaid');
    const user = await shop.json('user edit', {
      env: { EDITOR: "sed -i 's/^bob,.*/bob,paid/'", VISUAL: '' },
    });
    expect(user).toEqual({
      file: 'users.csv',
      added: 0,
      changed: 1,
      removed: 0,
      clamped: [],
      settled: [],
      edits: [{ user: 'bob', before: { status: 'unpaid' }, after: { status: 'paid' } }],
    });
    const visual = { EDITOR: 'false', VISUAL: "sed -i '/^bob/d'" };
    expect(await shop.json('user edit --yes', { env: visual })).toMatchObject({ removed: 1 });
    expect(copies(shop)).toEqual([]);
    await shop.ok('audit');
  });

  it('removes most rows only where that is confirmed, as a save by hand does not', async () => {
    const shop = await stocked();
    await shop.ok('inventory add --item cup --quantity 3');
    const edit = ['inventory', 'edit', '--with', "sed -i -e '/^pen/d' -e '/^cup/d'"];
    const refused = await shop.run([...edit, '-o', 'json']);
    expect(refused.code).toBe(2);
    expect(failureOf(refused)).toMatchObject({
      message: expect.stringContaining('Remove 2 of 3 rows?') as string,
      fix: expect.stringMatching(/^add --yes\nyour copy is kept; .* inventory edit --resume /) as string,
    });
    expect(shop.stock()).toEqual({ book: 10, pen: 50, cup: 3 });
    const resume = [
      'inventory',
      'edit',
      '--with',
      'true',
      '--yes',
      '--resume',
      keptCopy(String(failureOf(refused).fix)),
    ];
    expect(await shop.json(resume)).toMatchObject({ removed: 2 });
    // Fewer than half need no word.
    await shop.ok('inventory add --item pen --quantity 50');
    expect(await shop.json(['inventory', 'edit', '--with', "sed -i '/^pen/d'"])).toMatchObject({
      removed: 1,
    });
  });

  it('says when nothing changed', async () => {
    const shop = await stocked();
    expect((await shop.ok('inventory edit --with true')).stderr).toMatch(
      /^nothing changed\ntrue returned at once/,
    );
    const slow = ['inventory', 'edit', '--with', 'sleep 1.1; true'];
    expect((await shop.ok(slow)).stderr).toBe('nothing changed\n');
    expect(await shop.json('inventory edit --with true')).toMatchObject({ added: 0, changed: 0, edits: [] });
    expect(copies(shop)).toEqual([]);
  });

  it('keeps the copy of a mistake off a terminal, and goes on with it', async () => {
    const shop = await stocked();
    const wrong = [
      'inventory',
      'edit',
      '-o',
      'json',
      '--with',
      "sed -i -e 's/,10/,11/' -e 's/^pen,.*/pen,many,/'",
    ];
    const result = await shop.run(wrong);
    expect(result).toMatchObject({ code: 6, stdout: '' });
    const copy = keptCopy(String(failureOf(result).fix));
    expect(failureOf(result)).toMatchObject({ code: 'corrupt_file', file: copy, line: 3 });
    expect(failureOf(result).message).toContain(`${copy}:3: quantity of pen is "many"`);
    const given = await shop.run([...wrong, '--storage', shop.storage]);
    expect(failureOf(given).fix).toContain(`orderctl --storage ${shop.storage} inventory edit --resume `);
    fs.rmSync(path.dirname(keptCopy(String(failureOf(given).fix))), { recursive: true });
    expect(shop.stock()).toEqual({ book: 10, pen: 50 });
    await shop.ok('inventory update --item book --by -4');
    await shop.ok(['inventory', 'edit', '--resume', copy, '--with', 'sed -i s/many/60/']);
    expect(shop.stock()).toEqual({ book: 7, pen: 60 });
    expect(copies(shop)).toEqual([]);
  });

  it('changes nothing when the editor fails, and keeps what was written until then', async () => {
    const shop = await stocked();
    for (const program of ['false', 'kill -9 $$; true']) {
      const result = await shop.run(['inventory', 'edit', '--with', program]);
      expect(result.code).toBe(2);
      expect(result.stderr).toMatch(/(exited with 1|was ended by SIGKILL); nothing changed/);
      expect(result.stderr).not.toContain('--resume');
    }
    const result = await shop.run(['inventory', 'edit', '--with', 'sh -c \'echo junk > "$1"; exit 3\' sh']);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain('exited with 3; nothing changed\nfix: exit it without an error');
    expect(fs.readFileSync(keptCopy(result.stderr), 'utf8')).toBe('junk\n');
    expect(shop.stock()).toEqual({ book: 10, pen: 50 });
  });

  it.each([
    ['no editor', 'inventory edit', 2, 'usage'],
    ['one that is not there', 'inventory edit --with no-such-editor', 2, 'usage'],
    ['no folder', 'inventory edit --with true --storage nowhere', 3, 'not_found'],
    ['a copy that is none', 'inventory edit --with true --resume x.csv', 3, 'not_found'],
  ])('refuses %s', async (_what, args, code, failure) => {
    const shop = await stocked();
    const result = await shop.run(`${args} -o json`, { env: { EDITOR: '', VISUAL: '' } });
    expect(result).toMatchObject({ code, stdout: '' });
    expect(failureOf(result)).toMatchObject({ code: failure });
    // Not a word of the shell before it.
    expect(result.stderr).toMatch(/^\{"type":"error"/);
    expect(copies(shop)).toEqual([]);
  });

  it('settles what was kept aside with --settled, and otherwise leaves it', async () => {
    const shop = await stocked();
    shop.write('inventory.csv.conflict', 'item,quantity\nbook,12\n');
    shop.write('users.csv.conflict', 'user,status\n');
    const aside = path.join(shop.storage, 'inventory.csv.conflict');
    const first = await shop.ok(['inventory', 'edit', '--with', 'sed -i s/,10,/,11,/']);
    expect(first.stderr).toContain(`set aside, for you to check: ${aside}`);
    expect(first.stderr).toContain('--settled');
    expect(fs.existsSync(aside)).toBe(true);
    await shop.run(['inventory', 'edit', '--settled', '--with', 'sed -i s/,11,/,x,/']);
    expect(fs.existsSync(aside)).toBe(true);
    const idle = await shop.ok(['inventory', 'edit', '--settled', '--with', 'true']);
    expect(idle.stderr).toContain(`still set aside: ${aside}`);
    expect(fs.existsSync(aside)).toBe(true);
    const settled = await shop.json(['inventory', 'edit', '--settled', '--with', 'sed -i s/,11,/,12,/']);
    expect(settled).toMatchObject({ changed: 1, settled: [aside] });
    expect(fs.readdirSync(shop.storage).filter((name) => name.endsWith('.conflict'))).toEqual([
      'users.csv.conflict',
    ]);
  });

  it.runIf(isLinux)('opens a mistake again on a terminal', async () => {
    const shop = await stocked();
    const editor = path.join(shop.folder, 'editor');
    const script = `#!/bin/sh\nif grep -q many "$1"; then sed -i s/many/60/ "$1"; else sed -i s/^pen,50/pen,many/ "$1"; fi\n`;
    fs.writeFileSync(editor, script, { mode: 0o755 });
    const command = `${process.execPath} ${BINARY} inventory edit --storage ${shop.storage} --with ${editor}`;
    const child = spawn('script', ['-qec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const running = observe(child, 'script');
    child.stdout.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('[y/N]')) child.stdin.write('y\n');
    });
    const { code, stdout } = await finish(running, 'script', 60_000);
    expect(code).toBe(0);
    expect(stdout).toMatch(/inventory\.csv:3: quantity of pen is "many"/);
    expect(stdout).toContain('quantity 50 → 60');
    expect(shop.stock()).toEqual({ book: 10, pen: 60 });
    expect(copies(shop)).toEqual([]);
  });
});
