import { cpSync, lstatSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { realFileSystem, type FileSystem } from '../../src/adapters/files/fs.ts';
import { systemClock } from '../../src/compose.ts';
import { newFact, type FactLog } from '../../src/domain/facts.ts';
import type { Store } from '../../src/ports/store.ts';

/* `facts.ts KEYS`: measures a folder's facts and shared commits, and prints one JSON object. */

interface Step {
  readonly [field: string]: unknown;
  readonly order_id: string;
  readonly step: string;
}

const STEPS: FactLog<Step> = { name: 'bench_steps', key: 'order_id' };
const AT_ONCE = 1_000;
const LOOK_UPS = 2_000;
/** Keys that each have LINES_OF_ONE lines. Several, because a key that was read once is in memory. */
const LONG_KEYS = 9;
const LINES_OF_ONE = 10_000;
const PROCESSORS = 4;
const COMMITS_OF_EACH = 500;

const keys = Number(process.argv[2]);
const folder = mkdtempSync(join(tmpdir(), 'orderctl-bench-facts-'));
const killed = `${folder}-killed`;
let syncs = 0;
const files: FileSystem = {
  ...realFileSystem,
  datasync: async (fd) => {
    syncs += 1;
    await realFileSystem.datasync(fd);
  },
};
const own = (of = folder): Promise<Store> =>
  openFolder({ folder: of, files, clock: { ...systemClock, sleep: async () => undefined } }).own({
    purpose: 'measure',
    via: 'consume',
    onNotice: () => undefined,
  });
const idOf = (n: number): string => `ORD-${String(n).padStart(12, '0')}`;

async function append(store: Store, ids: readonly string[], step: string): Promise<void> {
  const facts = ids.map((order_id) => newFact(STEPS, { order_id, step, at: '2026-11-28T00:00:00.000Z' }));
  await store.transact({}, () => ({ changes: { facts }, result: undefined }));
}

function rssMiB(): number {
  globalThis.gc?.();
  return process.memoryUsage().rss / 2 ** 20;
}

/** @returns milliseconds */
async function timed(act: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await act();
  return performance.now() - from;
}

async function restarted(of: string): Promise<{ store: Store; ms: number }> {
  const from = performance.now();
  const store = await own(of);
  return { store, ms: performance.now() - from };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
}

async function fill(store: Store): Promise<{ earlyMiB: number; lateMiB: number }> {
  let earlyMiB = NaN;
  for (let from = 0; from < keys; from += AT_ONCE) {
    const ids = Array.from({ length: Math.min(AT_ONCE, keys - from) }, (_, at) => idOf(from + at));
    await append(store, ids, 'validated');
    if (Number.isNaN(earlyMiB) && from + AT_ONCE >= keys / 10) earlyMiB = rssMiB();
  }
  const lateMiB = rssMiB();
  // What kill -9 leaves: everything that is durable, with no checkpoint at the end.
  cpSync(folder, killed, { recursive: true, filter: (name) => !lstatSync(name).isSocket() });
  for (let from = 0; from < LINES_OF_ONE; from += AT_ONCE) {
    for (let long = 0; long < LONG_KEYS; long += 1) {
      await append(store, new Array<string>(AT_ONCE).fill(`LONG-${long}`), `step ${from}`);
    }
  }
  return { earlyMiB, lateMiB };
}

async function lookUps(store: Store): Promise<number[]> {
  const took: number[] = [];
  for (let count = 0; count < LOOK_UPS; count += 1) {
    const id = idOf((count * 7_919_017) % keys);
    took.push(
      await timed(async () => {
        const found = await store.facts(STEPS, id);
        if (found.length !== 1) throw new Error(`${id} has ${found.length} facts`);
      }),
    );
  }
  return took;
}

async function longLookUps(store: Store): Promise<number[]> {
  const took: number[] = [];
  for (let long = 0; long < LONG_KEYS; long += 1) {
    took.push(
      await timed(async () => {
        const found = await store.facts(STEPS, `LONG-${long}`);
        if (found.length !== LINES_OF_ONE) throw new Error(`${found.length} of ${LINES_OF_ONE} lines`);
      }),
    );
  }
  return took;
}

/** Several processors that commit at the same time. @returns commits per sync */
async function shared(store: Store): Promise<number> {
  syncs = 0;
  await Promise.all(
    Array.from({ length: PROCESSORS }, async (_, processor) => {
      for (let count = 0; count < COMMITS_OF_EACH; count += 1) {
        await append(store, [`P-${processor}-${count}`], 'validated');
      }
    }),
  );
  return (PROCESSORS * COMMITS_OF_EACH) / syncs;
}

try {
  const first = await own();
  const memory = await fill(first);
  await first[Symbol.asyncDispose]();
  const { store: recovered, ms: killedMs } = await restarted(killed);
  await recovered[Symbol.asyncDispose]();
  const { store, ms: restartMs } = await restarted(folder);
  const longMs = await longLookUps(store);
  const took = await lookUps(store);
  const commitsPerSync = await shared(store);
  await store[Symbol.asyncDispose]();
  const result = {
    ...memory,
    restartMs,
    killedMs,
    longMs: percentile(longMs, 0.5),
    commitsPerSync,
    lookUpMs: percentile(took, 0.5),
    slowLookUpMs: percentile(took, 0.99),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
} finally {
  for (const name of [folder, killed]) rmSync(name, { recursive: true, force: true });
}
