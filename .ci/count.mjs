// count.mjs [--all] FILE…: prints "passed failed skipped" of vitest's result files, and on stderr each test that failed and
// how, and what else it counts as failed: a result file that is missing, a test file that could not be loaded, a run
// without a test, more skipped tests than .ci/skips.json declares, and with --all a test file that no run has run.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '..');
/** Runs as long as one likes: .ci/nightly. */
const LONG = 'test/long/';

const isWhole = process.argv[2] === '--all';
const total = { passed: 0, failed: 0, skipped: 0 };
const seen = new Set();

function fail(message, count = 1) {
  process.stderr.write(`${message}\n`);
  total.failed += count;
}

function take(file) {
  let result;
  try {
    result = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    fail(`${path.basename(file, '.json')}: did not come to its results`);
    return;
  }
  total.passed += result.numPassedTests;
  total.failed += result.numFailedTests;
  if (result.numTotalTests === 0) fail(`${path.basename(file, '.json')}: ran no test`);
  let explained = result.numFailedTests > 0 || result.numTotalTests === 0;
  for (const { name, status, assertionResults } of result.testResults) {
    const test = path.relative(ROOT, name);
    seen.add(test);
    if (status === 'failed' && !assertionResults.some((one) => one.status === 'failed')) {
      fail(`${test}: could not be loaded`);
      explained = true;
    }
    for (const one of assertionResults) {
      if (one.status === 'failed') process.stderr.write(`${test}: ${one.fullName}\n${explanation(one)}`);
    }
    takeSkips(test, assertionResults.filter((one) => !['passed', 'failed'].includes(one.status)).length);
  }
  if (!result.success && !explained) fail(`${path.basename(file, '.json')}: failed outside of its tests`);
}

/** The message and where it was thrown; a diff of any length is cut. */
function explanation({ failureMessages }) {
  return failureMessages
    .join('\n')
    .split('\n')
    .slice(0, 30)
    .map((line) => `  ${line.slice(0, 300)}\n`)
    .join('');
}

function takeSkips(test, count) {
  const declared = JSON.parse(readFileSync(path.join(ROOT, '.ci/skips.json'), 'utf8'));
  const { most, why } = declared.find(({ file }) => file === test) ?? { most: 0, why: 'none is declared' };
  total.skipped += count;
  if (count > most)
    fail(`${test}: ${count} skipped where ${most} may be (${why}): .ci/skips.json`, count - most);
}

for (const file of process.argv.slice(isWhole ? 3 : 2)) take(file);
if (isWhole) {
  for (const name of readdirSync(path.join(ROOT, 'test'), { recursive: true })) {
    const test = path.join('test', String(name));
    // Peers of the tests are installed below test/, some with tests of their own.
    const isOurs = test.endsWith('.test.ts') && !test.includes('/node_modules/');
    if (isOurs && !test.startsWith(LONG) && !seen.has(test)) fail(`${test}: no run has run it`);
  }
}
process.stdout.write(`${total.passed} ${total.failed} ${total.skipped}\n`);
