import fs from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { openShop } from '../../support/cli.ts';
import { demoFolders, startDemo } from '../../support/demo.ts';
import { waitFor } from '../../support/wait.ts';

it(
  'tells the story with the real commands, keeps its promises and leaves nothing behind',
  { timeout: 90_000 },
  async () => {
    const shop = openShop();
    const { code, stdout, stderr } = await startDemo(shop).exited;
    expect({ code, stdout }, stderr).toMatchObject({ code: 0 });
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.slice(0, 2)),
    ).toEqual(['✓ ', '✓ ', '✓ ', '✓ ', '✓ ', 'do']);
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    // What stands under a command is what it prints: JSON only goes into files.
    expect(stderr).not.toMatch(/-o json\n|^ *\{/m);
    for (const command of [
      'orderctl user add --user alice --status paid',
      'orderctl inventory add --item book --quantity 300',
      'orderctl consume &',
      'orderctl produce --count 0 --delay 0.005 -o json > sent.jsonl &',
      'orderctl consume --until-end -o json > consume.json',
      'orderctl consume --reset-to earliest --until-end -o json > consume.json',
      'orderctl replay -o json > replay.jsonl',
      'orderctl inventory show',
    ]) {
      expect(stderr).toContain(`  $ ${command}\n`);
    }
    expect(stderr).toMatch(/\$ kill -9 \d+\n/);
    expect(stderr).toContain('in a browser');
    expect(stderr).toMatch(/read (\d+): 0 accepted, 0 rejected, \1 duplicates, 0 conflicts, 0 dead letters/);
    const [, left = '', sum = '', sent = ''] =
      /^ +(\d+ in the logs \+ .*read now) = (\d+) decided, of (\d+) sent$/m.exec(stderr) ?? [];
    const parts = [...left.matchAll(/\d+/g)].map(Number);
    expect(parts.reduce((total, part) => total + part, 0)).toBe(Number(sum));
    expect(sum).toBe(sent);
    expect(demoFolders(shop)).toEqual([]);
  },
);

it(
  'Ctrl-C in the middle: 130, and nothing is left behind, no process either',
  { timeout: 180_000 },
  async () => {
    const shop = openShop();
    const demo = startDemo(shop);
    await demo.says(/\n3\. /, 120_000);
    // On a slow machine the story may be further by now: there are two, or the one of a later step.
    const children = await waitFor(
      'its children',
      () => childrenOf(demo.pid),
      (pids) => pids.length > 0,
      { everyMs: 1 },
    );
    onTestFinished(() => children.forEach(end));
    demo.signal('SIGINT');
    const { code, stdout, stderr } = await demo.exited;
    expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: '' });
    expect(stderr).toContain('the demo was interrupted');
    expect(demoFolders(shop)).toEqual([]);
    await waitFor(
      'the end of its children',
      () => children.filter(isAlive),
      (alive) => alive.length === 0,
    );
  },
);

function childrenOf(pid: number): number[] {
  const list = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.split(' ').flatMap((word) => (word.trim() === '' ? [] : [Number(word)]));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function end(pid: number): void {
  if (isAlive(pid)) process.kill(pid, 'SIGKILL');
}
