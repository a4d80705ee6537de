import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { EXPERIMENTS } from '../../src/domain/experiments/kinds.ts';
import { receiptInWords } from '../../src/documents/write/experiment.ts';
import { openShop } from '../support/cli.ts';
import { randomFrom } from '../support/random.ts';
import { breakShop, startUp } from '../support/up-shop.ts';

/** `npm run break-test`: the break bar pressed as often as one likes, while samples flow. */
const presses = Number(process.env.ORDERCTL_TEST_PRESSES ?? 500);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const PRESSES_PER_SHOP = 25;

const shops = Array.from({ length: Math.ceil(presses / PRESSES_PER_SHOP) }, (_, at) => at);

test.for(shops)(
  `of ${presses} presses (ORDERCTL_TEST_SEED=${seed}), those of shop %i leave receipts and balanced books`,
  { timeout: 1_200_000 },
  async (index) => {
    const random = randomFrom(seed + index);
    const shop = openShop();
    const { up, addresses } = await startUp(shop, '--sample 5');
    const count = Math.min(PRESSES_PER_SHOP, presses - index * PRESSES_PER_SHOP);
    for (let press = 0; press < count; press++) {
      const { kind } = EXPERIMENTS[Math.floor(random() * EXPERIMENTS.length)] ?? EXPERIMENTS[0];
      const its = Math.floor(random() * 2 ** 32);
      const receipt = await breakShop(shop, addresses.url, `${kind} --seed ${its}`);
      process.stderr.write(`${index * PRESSES_PER_SHOP + press + 1} ${kind}: ${receiptInWords(receipt)}\n`);
      expect(receipt, JSON.stringify(receipt)).toMatchObject({ kind, seed: its, ok: true, differences: 0 });
    }
    const lines = fs.readFileSync(path.join(shop.storage, 'experiments.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(count);
    up.signal('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    await shop.built.ok('audit');
  },
);
