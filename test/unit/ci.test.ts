import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');

let folder = '';

beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-ci-'))));
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string, mode = 0o644): string {
  const file = path.join(folder, name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text, { mode });
  return file;
}

/** A result file of vitest: tests of one file, by their statuses. */
function resultOf(test: string, statuses: readonly string[], success = true): string {
  const is = (status: string): number => statuses.filter((one) => one === status).length;
  return write(
    'unit.json',
    JSON.stringify({
      success,
      numTotalTests: statuses.length,
      numPassedTests: is('passed'),
      numFailedTests: is('failed'),
      testResults: [
        {
          name: path.join(ROOT, test),
          status: is('failed') > 0 || statuses.length === 0 ? 'failed' : 'passed',
          assertionResults: statuses.map((status) => ({
            status,
            fullName: 'a queue keeps its order',
            failureMessages: status === 'failed' ? ['expected 1 to be 2\n    at a.test.ts:7'] : [],
          })),
        },
      ],
    }),
  );
}

function count(...args: string[]): { counts: string; said: string } {
  const { stdout, stderr } = spawnSync(process.execPath, [path.join(ROOT, '.ci/count.mjs'), ...args], {
    encoding: 'utf8',
  });
  return { counts: stdout.trim(), said: stderr };
}

describe('the count of a run', () => {
  it.each<[string, readonly string[], boolean, string, string]>([
    ['test/unit/a.test.ts', ['passed', 'passed'], true, '2 0 0', ''],
    [
      'test/unit/a.test.ts',
      ['passed', 'failed'],
      false,
      '1 1 0',
      'a.test.ts: a queue keeps its order\n  expected 1 to be 2\n',
    ],
    ['test/unit/a.test.ts', ['passed', 'skipped'], true, '1 1 1', '1 skipped where 0 may be'],
    ['test/e2e/dlq.test.ts', ['passed', 'skipped'], true, '1 0 1', ''],
    ['test/e2e/dlq.test.ts', ['skipped', 'todo', 'pending'], true, '0 2 3', '3 skipped where 1 may be'],
    ['test/unit/a.test.ts', ['passed'], false, '1 1 0', 'failed outside of its tests'],
  ])('of %s %j, success %s, is %s', (test, statuses, success, counts, said) => {
    const found = count(resultOf(test, statuses, success));
    expect(found.counts).toBe(counts);
    expect(found.said).toContain(said);
    if (said === '') expect(found.said).toBe('');
  });

  it('fails what ran no test, could not be loaded, or left no results', () => {
    expect(count(resultOf('test/unit/a.test.ts', [])).counts).toBe('0 2 0');
    expect(count(write('unit.json', '{"success":'))).toMatchObject({ counts: '0 1 0' });
    expect(count(path.join(folder, 'absent.json'))).toEqual({
      counts: '0 1 0',
      said: 'absent: did not come to its results\n',
    });
  });

  it('names every test file that no run has run, but those of the night', () => {
    const { said } = count('--all', resultOf('test/unit/ci.test.ts', ['passed']));
    expect(said).toContain('test/unit/processors/orders.test.ts: no run has run it\n');
    expect(said).not.toContain('test/unit/ci.test.ts');
    expect(said).not.toContain('test/long');
  });

  it('has a reason for each skip that is declared, of a test that is there', () => {
    const declared = JSON.parse(fs.readFileSync(path.join(ROOT, '.ci/skips.json'), 'utf8')) as {
      file: string;
      why: string;
    }[];
    for (const { file, why } of declared) {
      expect(fs.existsSync(path.join(ROOT, file)), file).toBe(true);
      expect(why.length, file).toBeGreaterThan(10);
    }
  });
});

it('GitHub runs the same, on the oldest Node that is supported', () => {
  const workflow = fs.readFileSync(path.join(ROOT, '.github/workflows/ci.yml'), 'utf8');
  const runs = [...workflow.matchAll(/- run: (\.ci\/\S+)$/gm)].map(([, script = '']) => script);
  expect(runs).toEqual(['.ci/run', '.ci/nightly']);
  expect(workflow).toContain('- run: npm audit --omit dev\n');
  for (const script of runs) expect(fs.statSync(path.join(ROOT, script)).mode & 0o111, script).not.toBe(0);
  const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  const images = [...workflow.matchAll(/container: node:(\d+)-/g)].map(([, major]) => major);
  expect(new Set(images)).toEqual(new Set([/\d+/.exec(engines.node)?.[0]]));
});

describe('a run that is cut off', () => {
  /** Runs a script of .ci with an npm of the test's own. */
  function run(script: string, npm: string): { code: number | null; last: string } {
    fs.cpSync(path.join(ROOT, '.ci'), path.join(folder, '.ci'), { recursive: true });
    fs.mkdirSync(path.join(folder, 'test'), { recursive: true });
    write('bin/npm', `#!/bin/bash\n${npm}\n`, 0o755);
    const { status, stdout } = spawnSync('bash', [path.join(folder, '.ci', script)], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env.PATH ?? ''}` },
    });
    return { code: status, last: stdout.trimEnd().split('\n').at(-1) ?? '' };
  }

  it.each([
    ['by a step that fails', '[ "$1" != ci ]'],
    ['by a signal in a step without results', '[ "$1" != ci ] || kill -TERM $PPID'],
  ])('%s, is red in its last line', (_, npm) => {
    const { code, last } = run('run', npm);
    expect(last).toMatch(/^0 passed, [1-9]\d* failed$/);
    expect(code).not.toBe(0);
  });

  it('at night: the last line says how many steps passed, and a failure is none', () => {
    const steps = fs.readFileSync(path.join(ROOT, '.ci/nightly'), 'utf8').match(/^step '/gm)?.length ?? 0;
    expect(run('nightly', 'exit 0')).toEqual({ code: 0, last: `${steps} of ${steps} steps passed` });
    expect(run('nightly', '[ "$2" != fuzz ]')).toEqual({
      code: 1,
      last: `${steps - 1} of ${steps} steps passed`,
    });
    const cut = run('nightly', '[ "$2" != fuzz ] || kill -TERM $PPID');
    expect(cut).toMatchObject({ last: '3 of 4 steps passed' });
    expect(cut.code).not.toBe(0);
  });
});
