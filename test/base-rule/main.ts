import { parseArgs } from 'node:util';
import { measure, RULES, SIZES } from './measure.ts';
import { SCENARIOS } from './scenarios.ts';

/* `npm run simulate:edits`: how often the rule for hand edits is wrong, and how often it refuses. */

const HELP = `npm run simulate:edits -- [--seed N] [--saves N] [--scenario NAME]

Hand edits of an inventory from which items sell, made from a version of some time ago. Prints, for each scenario and
rule, how many of a hundred saves were taken in wrongly, and how many were set aside: wrong / refused.

  --seed N         (default 1)
  --saves N        of each scenario, rule and size of table (default 600)
  --scenario NAME  this one only
`;

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    saves: { type: 'string', default: '600' },
    scenario: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else main();

function main(): void {
  const options = { seed: Number(values.seed), saves: Number(values.saves) };
  const percent = (count: number, of: number): string => {
    const share = (100 * count) / of;
    return share.toFixed(share > 0 && share < 10 ? 1 : 0);
  };
  for (const [size, rows] of Object.entries(SIZES)) {
    process.stdout.write(`\n| ${size} | ${Object.keys(RULES).join(' | ')} |\n| --- | --- | --- | --- |\n`);
    for (const [name, scenario] of Object.entries(SCENARIOS)) {
      if (values.scenario !== undefined && values.scenario !== name) continue;
      const cells = Object.values(RULES).map((rule) => {
        const { saves, wrong, refused } = measure(rule, scenario, rows, options);
        return `${percent(wrong, saves)} / ${percent(refused, saves)}`;
      });
      process.stdout.write(`| ${name} | ${cells.join(' | ')} |\n`);
    }
  }
}
