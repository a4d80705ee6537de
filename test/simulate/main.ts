import { parseArgs } from 'node:util';
import { explore, noCounts } from './explore.ts';
import { explain, shrink } from './shrink.ts';
import { makeHistory } from './steps.ts';

/* `npm run simulate`: histories one after the other, a crash at every call of each, as long as one likes. */

const HELP = `npm run simulate -- [--seed N] [--hours H | --histories N] [--steps N] [--share S]

Random histories of a storage folder on a file system in memory, with a crash before every call of each, and again
in half of the recoveries. Ends 1 at the first failure, with its seed and the smallest history that fails.

  --seed N       of the first history; the next ones follow (default: from the clock)
  --hours H      how long, fractions allowed
  --histories N  how many (default 1,000 when no time is given)
  --steps N      of a history at most (default 3)
  --share S      of the calls that are crashed at, from 0 to 1 (default 1: all of them)
`;
const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    hours: { type: 'string' },
    histories: { type: 'string' },
    steps: { type: 'string', default: '3' },
    share: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const first = Number(values.seed ?? Date.now() % 2 ** 31);
  const most = Number(values.histories ?? (values.hours === undefined ? 1_000 : Infinity));
  const until = performance.now() + Number(values.hours ?? Infinity) * 3_600_000;
  const exploration = { share: Number(values.share) };
  const counts = noCounts();
  const startedAt = performance.now();
  let shownAt = startedAt;
  const report = (): void => {
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
    const all = Object.entries(counts).map(
      ([name, count]: [string, number]) => `${count.toLocaleString('en')} ${name}`,
    );
    process.stdout.write(`${seconds} s, seed ${first}: ${all.join(', ')}\n`);
  };
  for (let seed = first; seed < first + most && performance.now() < until; seed++) {
    const history = makeHistory(seed, Number(values.steps));
    try {
      await explore(history, exploration, counts);
    } catch (error) {
      report();
      const smallest = await shrink(history, error, exploration);
      process.stdout.write(
        `seed ${seed} fails: npm run simulate -- --seed ${seed} --histories 1 --steps ${values.steps} --share ${values.share}\n` +
          `${explain(error)}\nsmallest history that fails: ${JSON.stringify(smallest.history)}\n${explain(smallest.error)}\n`,
      );
      process.exitCode = 1;
      return;
    }
    if (performance.now() - shownAt < PROGRESS_EVERY_MS) continue;
    shownAt = performance.now();
    report();
  }
  report();
}
