import { expect, test } from 'vitest';
import { measure, RULES, SIZES } from '../../base-rule/measure.ts';
import { SCENARIOS } from '../../base-rule/scenarios.ts';

/* How often the rule for hand edits may be wrong, and how often it may refuse: a short run of npm run simulate:edits, longer in npm run test:long. */

const SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);

function percent(scenario: string, size: string, saves: number, rule = 'with read marks') {
  const [how, made, rows] = [RULES[rule], SCENARIOS[scenario], SIZES[size]];
  if (how === undefined || made === undefined || rows === undefined)
    throw new Error(`no ${scenario}, ${size}`);
  const counts = measure(how, made, rows, { seed: SEED, saves });
  return { wrong: (100 * counts.wrong) / counts.saves, refused: (100 * counts.refused) / counts.saves };
}

test('in the typical mix at most 0.3 % are taken in wrongly, and at most 8 % are refused', () => {
  const { wrong, refused } = percent('typical mix', '5 to 20 rows', 300);
  expect(wrong).toBeLessThanOrEqual(0.3);
  expect(refused).toBeLessThanOrEqual(8);
}, 120_000);

test('of tables of three rows and fewer at most 2 % are taken in wrongly', () => {
  const { wrong, refused } = percent('typical mix', '1 to 3 rows', 200);
  expect(wrong).toBeLessThanOrEqual(2);
  expect(refused).toBeLessThanOrEqual(45);
}, 120_000);

test.each([
  ['rows added, then deleted', 0, 5],
  ['second save from one spreadsheet', 0.5, 10],
  ['autosave while typing', 0.5, 5],
  ['taken back in the editor', 0.5, 10],
  ['+10 to all rows', 0.5, 20],
  ['price of a few rows', 0, 0],
])('%s', (scenario, mostWrong, mostRefused) => {
  const { wrong, refused } = percent(scenario, '5 to 20 rows', 120);
  expect(wrong).toBeLessThanOrEqual(mostWrong);
  expect(refused).toBeLessThanOrEqual(mostRefused);
});

test('the rule of before is as bad as it was: the simulation can tell', () => {
  expect(percent('typical mix', '5 to 20 rows', 150, 'fewest changed rows').wrong).toBeGreaterThan(8);
  expect(percent('price of all rows', '5 to 20 rows', 50, 'fewest changed rows').wrong).toBeGreaterThan(60);
}, 60_000);
