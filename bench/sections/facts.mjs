// @ts-check
import { join } from 'node:path';
import { ROOT } from '../lib/cluster.mjs';
import { measure } from '../lib/measure.mjs';
import { printTable, whole } from '../lib/table.mjs';

const KEYS = 1_000_000;

/**
 * The cost of facts and shared commits in a folder, without Kafka: memory, which does not grow with them, look-ups, a
 * restart, and how many commits of four processors share a sync.
 */
export async function benchFacts() {
  const script = join(ROOT, 'bench', 'peers', 'facts.ts');
  const loader = join(ROOT, 'test', 'support', 'typescript.mjs');
  const args = ['--expose-gc', '--import', loader, script, `${KEYS}`];
  const { stdout } = await measure(process.execPath, args);
  const found = /** @type {Record<string, number>} */ (JSON.parse(stdout));
  const ms = (/** @type {string} */ name) => `${(found[name] ?? NaN).toFixed(2)} ms`;
  printTable(
    `facts of ${whole(KEYS)} keys in a folder`,
    ['what', 'measured', 'at most'],
    [
      ['memory after a tenth of them', `${whole(found['earlyMiB'] ?? NaN)} MiB`, ''],
      ['memory after all', `${whole(found['lateMiB'] ?? NaN)} MiB`, 'about the same'],
      ['a look-up, median', ms('lookUpMs'), '1 ms'],
      ['a look-up, one of a hundred takes longer', ms('slowLookUpMs'), '1 ms'],
      ['10,000 lines of one key, median', ms('longMs'), '20 ms'],
      ['a restart', ms('restartMs'), '1,000 ms'],
      ['a restart after kill -9', ms('killedMs'), '1,000 ms'],
      ['commits of four processors for each sync', (found['commitsPerSync'] ?? NaN).toFixed(1), ''],
    ],
  );
}
