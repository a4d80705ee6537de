import { parseArgs } from 'node:util';
import { explore } from './explore.ts';
import { RULES } from './rules.ts';
import { BROKEN, LARGER, LONG, rulesOf, SHORT } from './scenarios.ts';
import type { Scenario } from './world.ts';

/* `npm run model`: explores the whole model of the heart. Exits with 1 when it finds a violation. */

const HELP = `npm run model -- [--long] [--without RULE]

Visits every reachable state of the heart in a few scenarios, and prints the number of states.

  --long          also explores larger scenarios, which takes minutes
  --without RULE  leaves out a rule and prints the shortest path to a violation: ${Object.keys(BROKEN).join(', ')};
                  all: each of them in turn
`;

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    without: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else if (values.without !== undefined) breakRules(values.without);
else {
  exploreAll({ ...SHORT, ...LARGER, ...(values.long ? LONG : {}) });
}

function exploreAll(scenarios: Readonly<Record<string, Scenario>>): void {
  for (const [name, scenario] of Object.entries(scenarios)) {
    const startedAt = performance.now();
    const { states, finalStates, found } = explore(scenario, rulesOf(scenario));
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`${name}: ${states} states, ${finalStates} ends, ${seconds} s\n`);
    if (found === null) continue;
    process.stdout.write(`  ${found.what}\n${found.way.map((step) => `    ${step}\n`).join('')}`);
    process.exitCode = 1;
  }
}

function breakRules(wanted: string): void {
  for (const [rule, [scenario]] of Object.entries(BROKEN)) {
    if (wanted !== 'all' && wanted !== rule) continue;
    const { found } = explore(scenario, { ...RULES, [rule]: false });
    process.stdout.write(`without ${rule}: ${found?.what ?? 'no violation'}\n`);
    for (const step of found?.way ?? []) process.stdout.write(`  ${step}\n`);
    if (found === null) process.exitCode = 1;
  }
}
