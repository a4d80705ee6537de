// Prints "passed failed skipped" of one vitest result file. A file that is missing, a test file that could not be
// loaded and a run without a test count as failures.
import { readFileSync } from 'node:fs';

let counts = [0, 1, 0];
try {
  const result = JSON.parse(readFileSync(process.argv[2], 'utf8'));
  const unloaded = result.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const failed = result.numFailedTests + unloaded;
  const isEmpty = result.numTotalTests === 0;
  const isUnexplained = !result.success && failed === 0;
  counts = [
    result.numPassedTests,
    failed + (isEmpty || isUnexplained ? 1 : 0),
    result.numPendingTests + result.numTodoTests,
  ];
} catch {
  // Stays one failure.
}
process.stdout.write(`${counts.join(' ')}\n`);
