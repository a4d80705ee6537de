import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mutated, ROOT } from './apply.ts';
import { MUTATIONS, type Mutation } from './list.ts';
import { missingNames } from './missing-names.ts';

/*
 * `npm run mutations`: breaks the program on purpose, one promise at a time, in a copy of the tree, and demands that
 * the named tests fail. Ends 1 when one survives. A test that only ran out of time proves nothing on a busy machine: it
 * runs again, with more time, and counts when it runs out of that too.
 */

const HELP = `npm run mutations -- [--only WORD]… [--from NUMBER] [--list]

  --only WORD    those whose name holds it, or one of them
  --from NUMBER  goes on with this one, as numbered in the output
  --list         prints their names and files and runs nothing
`;
/** Of vitest, and of test/support/wait.ts. */
const OUT_OF_TIME = /^(?:Error: )?(?:(?:Test|Hook) timed out in|waited) \d+ ?ms/;
const COPIED = [
  'src',
  'test',
  'deploy',
  'bin',
  'docs',
  'build.mjs',
  'package.json',
  'rolldown.config.js',
  'tsconfig.json',
  'vitest.config.ts',
];

interface Verdict {
  /** The first test that failed; null: none did. */
  readonly failed: string | null;
  /** It waited too long for something, and no test failed otherwise. */
  readonly outOfTime: boolean;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    from: { type: 'string', default: '1' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const chosen = MUTATIONS.filter(({ name }) => values.only.some((word) => name.includes(word)));
if (values.help) process.stdout.write(HELP);
else if (chosen.length === 0) {
  process.stderr.write(`no name holds ${values.only.join(' or ')}; --list prints them\n`);
  process.exitCode = 2;
} else if (values.list) for (const { name, file } of chosen) process.stdout.write(`${file}: ${name}\n`);
else main(chosen, Number(values.from) - 1);

function main(all: readonly Mutation[], passedOver: number): void {
  const broken = missingNames(all);
  const mutations = all.slice(passedOver);
  const tree = copyTree();
  try {
    const { failed } = run(tree, { tests: [...new Set(mutations.flatMap(({ tests }) => tests))] });
    if (failed !== null) throw new Error(`fails without any mutation: ${failed}`);
    const survivors = mutations.filter((mutation, index) => {
      process.stdout.write(`${passedOver + index + 1}/${all.length} ${mutation.name}\n`);
      const missing = broken.get(mutation);
      if (missing === undefined) return !isCaught(tree, mutation);
      process.stdout.write(`  ${mutation.file} · BROKEN, since it names what is not there: ${missing}\n`);
      return true;
    });
    process.stdout.write(`${mutations.length - survivors.length} of ${mutations.length} caught\n`);
    for (const { name } of survivors) process.stdout.write(`not caught: ${name}\n`);
    process.exitCode = survivors.length === 0 ? 0 : 1;
  } finally {
    fs.rmSync(tree, { recursive: true, force: true });
  }
}

function copyTree(): string {
  const tree = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-mutations-'));
  // Some tests run a part of it as another user.
  fs.chmodSync(tree, 0o755);
  for (const name of COPIED) fs.cpSync(path.join(ROOT, name), path.join(tree, name), { recursive: true });
  fs.symlinkSync(path.join(ROOT, 'node_modules'), path.join(tree, 'node_modules'));
  return tree;
}

function isCaught(tree: string, mutation: Mutation): boolean {
  const file = path.join(tree, mutation.file);
  const whole = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, mutated(mutation));
  const startedAt = performance.now();
  try {
    const { failed, outOfTime } = run(tree, mutation);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const how = outOfTime ? 'out of time twice' : 'caught';
    const what = failed === null ? 'SURVIVED' : `${how} by ${failed}`;
    process.stdout.write(`  ${mutation.file} · ${what} · ${seconds} s\n`);
    return failed !== null;
  } finally {
    fs.writeFileSync(file, whole);
  }
}

function run(tree: string, { tests, test }: Pick<Mutation, 'tests' | 'test'>): Verdict {
  const named = test === undefined ? [] : ['--testNamePattern', test];
  const verdict = runOnce(tree, tests, named);
  if (!verdict.outOfTime) return verdict;
  return runOnce(tree, tests, [...named, '--testTimeout', '90000', '--maxWorkers', '1']);
}

/** Runs test files until the first failure. */
function runOnce(tree: string, tests: readonly string[], options: readonly string[]): Verdict {
  const report = path.join(tree, 'report.json');
  fs.rmSync(report, { force: true });
  const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
  const reporter = ['--reporter', 'json', '--outputFile', report];
  const projects = ['parts', 'cli', 'embedded'].flatMap((name) => ['--project', name]);
  const args = ['run', ...projects, '--bail', '1', ...reporter, ...options, ...tests];
  // More than `npm test` takes: some are caught by one history of a thousand.
  const env = { ...process.env, ORDERCTL_TEST_EFFORT: 'full', ORDERCTL_TEST_HISTORIES: '2000' };
  const { stderr } = spawnSync(process.execPath, [vitest, ...args], { cwd: tree, encoding: 'utf8', env });
  if (!fs.existsSync(report)) throw new Error(`no report of ${tests.join(', ')}: ${stderr}`);
  return verdictOf(JSON.parse(fs.readFileSync(report, 'utf8')) as Report, tests);
}

interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly title: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

/** A file that cannot be loaded is an error, not a test that failed. */
function verdictOf(report: Report, tests: readonly string[]): Verdict {
  if (report.numTotalTests === 0) {
    throw new Error(`${tests.join(', ')} holds no tests: ${report.testResults[0]?.message ?? ''}`);
  }
  const failed = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ title, failureMessages }) => ({
        test: `${path.basename(name)}: ${title}`,
        outOfTime: failureMessages.every((message) => OUT_OF_TIME.test(message)),
      })),
  );
  const first = failed.find(({ outOfTime }) => !outOfTime) ?? failed[0];
  return { failed: first?.test ?? null, outOfTime: first?.outOfTime ?? false };
}
