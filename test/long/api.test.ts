import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { finish, observe } from '../support/cli.ts';
import { absent, python, runs } from '../support/peers.ts';
import { serve, shopWith } from '../support/serve.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** `npm run test:api`: calls that Schemathesis makes up from the OpenAPI document, as many as one likes. */
const calls = Number(process.env.ORDERCTL_TEST_CALLS ?? 10_000);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const PEERS = path.join(import.meta.dirname, 'peers');
/** Where Schemathesis may keep what it likes. */
const folder = temporaryFolder();
/** Calls of one run: for each operation some that are planned, and some by chance. */
const EXAMPLES = 50;

const withoutSchemathesis = absent(
  'Schemathesis',
  () => runs(python, ['-c', 'import schemathesis']),
  'pip install -r test/long/peers/requirements.txt in a venv, and set ORDERCTL_TEST_PYTHON to its python',
);

test.skipIf(withoutSchemathesis)(
  `${calls} calls that its OpenAPI document allows, or forbids, find no fault in the API (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: 7_200_000 },
  async () => {
    const shop = shopWith({ pen: 1_000_000 });
    const { server, url } = await serve(shop);
    const run = shop.start('run --events');
    let made = 0;
    for (let round = 0; made < calls; round += 1) {
      const left = calls - made;
      made += await schemathesis(url, seed + round, left < 2_000 ? Math.ceil(left / 60) : EXAMPLES);
      process.stderr.write(`${made} calls\n`);
    }
    for (const one of [run, server]) {
      one.signal('SIGTERM');
      expect(await one.exited).toMatchObject({ code: 0 });
    }
    await shop.ok('audit');
  },
);

/** @returns how many calls it made */
async function schemathesis(url: string, its: number, examples: number): Promise<number> {
  const args = [
    '-m',
    'schemathesis.cli',
    '--config-file',
    'schemathesis.toml',
    'run',
    `${url}/openapi.json`,
    '--phases',
    'examples,coverage,fuzzing',
    '--checks',
    'all',
    '--exclude-path',
    '/events',
    '--max-examples',
    `${examples}`,
    '--seed',
    `${its}`,
    '--generation-database',
    'none',
    '--request-timeout',
    '60',
    '--continue-on-failure',
    '--no-color',
  ];
  const cwd = folder();
  fs.cpSync(PEERS, cwd, { recursive: true });
  const running = observe(spawn(python, args, { cwd, stdio: 'pipe' }), 'schemathesis');
  const { code, stdout, stderr } = await finish(running, 'schemathesis', 3_600_000);
  expect(code, `${stdout}\n${stderr}`).toBe(0);
  return Number(/([\d,]+) generated/.exec(stdout)?.[1]?.replaceAll(',', '') ?? NaN);
}
