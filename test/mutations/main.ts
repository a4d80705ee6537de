import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mutated, ROOT } from './apply.ts';
import { MUTATIONS, type Mutation } from './list.ts';

/*
 * `npm run mutations`: breaks the program on purpose, one promise at a time, in a copy of the tree, and demands that
 * the named tests fail. Ends 1 when one survives.
 */

const HELP = `npm run mutations -- [--only WORD]…

  --only WORD  those whose name holds it, or one of them
`;
const COPIED = [
  'src',
  'test',
  'deploy',
  'bin',
  'build.mjs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
];

interface Verdict {
  /** The first test that failed; null: none did. */
  readonly failed: string | null;
  readonly seconds: number;
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true, default: [''] },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else main(MUTATIONS.filter(({ name }) => values.only.some((word) => name.includes(word))));

function main(mutations: readonly Mutation[]): void {
  for (const mutation of mutations) mutated(mutation);
  const tree = copyTree();
  try {
    const { failed } = run(tree, [...new Set(mutations.flatMap(({ tests }) => tests))]);
    if (failed !== null) throw new Error(`fails without any mutation: ${failed}`);
    const survivors = mutations.filter((mutation) => !isCaught(tree, mutation));
    process.stdout.write(`${mutations.length - survivors.length} of ${mutations.length} caught\n`);
    for (const { name } of survivors) process.stdout.write(`survived: ${name}\n`);
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
  try {
    const { failed, seconds } = run(tree, mutation.tests);
    const what = failed === null ? 'SURVIVED' : `caught by ${failed}`;
    process.stdout.write(`${mutation.name}\n  ${mutation.file} · ${what} · ${seconds.toFixed(0)} s\n`);
    return failed !== null;
  } finally {
    fs.writeFileSync(file, whole);
  }
}

/** Runs test files until the first failure. */
function run(tree: string, tests: readonly string[]): Verdict {
  const report = path.join(tree, 'report.json');
  fs.rmSync(report, { force: true });
  const startedAt = performance.now();
  const vitest = path.join('node_modules', 'vitest', 'vitest.mjs');
  const args = [
    'run',
    '--project',
    'parts',
    '--bail',
    '1',
    '--reporter',
    'json',
    '--outputFile',
    report,
    ...tests,
  ];
  // More than `npm test` takes: some are caught by one history of a thousand.
  const env = { ...process.env, ORDERCTL_TEST_HISTORIES: '2000' };
  const { stderr } = spawnSync(process.execPath, [vitest, ...args], { cwd: tree, encoding: 'utf8', env });
  const seconds = (performance.now() - startedAt) / 1000;
  if (!fs.existsSync(report)) throw new Error(`no report of ${tests.join(', ')}: ${stderr}`);
  return { failed: firstFailure(JSON.parse(fs.readFileSync(report, 'utf8')) as Report, tests), seconds };
}

interface Report {
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

/** A test that failed: a file that cannot be loaded is an error, not a catch. */
function firstFailure(report: Report, tests: readonly string[]): string | null {
  if (report.numTotalTests === 0) {
    throw new Error(`${tests.join(', ')} holds no tests: ${report.testResults[0]?.message ?? ''}`);
  }
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed');
    if (failed !== undefined) return `${path.basename(name)}: ${failed.title}`;
  }
  return null;
}
