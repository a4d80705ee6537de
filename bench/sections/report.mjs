// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../deploy/kafka/services.mjs';
import { startPostgres } from '../../deploy/postgres/server.mjs';
import { ROOT, say } from '../lib/cluster.mjs';
import { measure } from '../lib/measure.mjs';
import { printTable, whole } from '../lib/table.mjs';

const ORDERS = Number(process.env.ORDERCTL_BENCH_REPORT_ORDERS ?? 10_000_000);

/**
 * What `report daily` takes for a day with ten million orders, without Kafka: from a folder, and from a database.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchReport({ cluster }) {
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-bench-report-'));
  try {
    await reportOf('a folder', join(folder, 'storage'), folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const settings = { shared_buffers: '256MB', max_wal_size: '4GB' };
  const data = join(cluster.folder, 'postgres-report');
  const service = await startPostgres({ folder: data, port: await freePort(), settings });
  const files = mkdtempSync(join(tmpdir(), 'orderctl-bench-report-'));
  try {
    await reportOf('PostgreSQL', service.address, files);
  } finally {
    rmSync(files, { recursive: true, force: true });
    await service.stop();
  }
}

/** @param {string} name @param {string} store @param {string} folder for the files of the report */
async function reportOf(name, store, folder) {
  const script = join(ROOT, 'bench', 'peers', 'report.ts');
  const loader = join(ROOT, 'test', 'support', 'typescript.mjs');
  const filled = await measure(process.execPath, ['--import', loader, script, store, `${ORDERS}`]);
  say(`${name}: filled in ${filled.wallSeconds.toFixed(0)} s`);
  const day = ['--date', '2026-11-27', '--time-zone', 'UTC', '--to', join(folder, 'reports')];
  // A URL that contains a password may not be passed as a flag.
  const env = { ORDERCTL_STORE: store };
  const args = [join(ROOT, 'bin', 'orderctl'), 'report', 'daily', ...day, '-o', 'json'];
  const run = await measure(process.execPath, args, { env });
  const { order_count: orders, total_sales: total } =
    /** @type {{ order_count: number, total_sales: string }} */ (JSON.parse(run.stdout));
  printTable(
    `report daily of ${whole(orders)} orders in ${name}, ${total} in sales`,
    ['what', 'measured', 'at most'],
    [
      ['time', `${run.wallSeconds.toFixed(1)} s`, '60 s'],
      ['CPU', `${(run.cpuSeconds ?? NaN).toFixed(1)} s`, ''],
      ['peak memory', `${whole(run.peakMiB ?? NaN)} MiB`, '300 MiB'],
    ],
  );
}
