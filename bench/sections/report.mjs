// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../lib/cluster.mjs';
import { measure } from '../lib/measure.mjs';
import { printTable, whole } from '../lib/table.mjs';

const ORDERS = Number(process.env.ORDERCTL_BENCH_REPORT_ORDERS ?? 10_000_000);

/** What `report daily` takes for a day with ten million orders, without Kafka. */
export async function benchReport() {
  const folder = mkdtempSync(join(tmpdir(), 'orderctl-bench-report-'));
  try {
    const storage = join(folder, 'storage');
    const script = join(ROOT, 'bench', 'peers', 'report.ts');
    const loader = join(ROOT, 'test', 'support', 'typescript.mjs');
    await measure(process.execPath, ['--import', loader, script, storage, `${ORDERS}`]);
    const day = ['--date', '2026-11-27', '--time-zone', 'UTC', '--to', join(folder, 'reports')];
    const args = ['report', 'daily', '--storage', storage, ...day, '-o', 'json'];
    const run = await measure(process.execPath, [join(ROOT, 'bin', 'orderctl'), ...args]);
    const { order_count: orders, total_sales: total } =
      /** @type {{ order_count: number, total_sales: string }} */ (JSON.parse(run.stdout));
    printTable(
      `report daily of ${whole(orders)} orders, ${total} in sales`,
      ['what', 'measured', 'at most'],
      [
        ['time', `${run.wallSeconds.toFixed(1)} s`, '60 s'],
        ['CPU', `${(run.cpuSeconds ?? NaN).toFixed(1)} s`, ''],
        ['peak memory', `${whole(run.peakMiB ?? NaN)} MiB`, '300 MiB'],
      ],
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
