import { METRICS } from '../../app/metrics/declared.ts';
import { openMeter } from '../../compose.ts';
import type { Meter } from '../../ports/outside/meter.ts';
import { version } from '../hints.ts';

/** The metrics of this process, including those of the operating system. */
export async function openMetrics(): Promise<Meter> {
  const meter = await openMeter();
  const startedAt = Date.now() / 1000 - process.uptime();
  const found = version();
  meter.watch(METRICS.buildInfo, () => [[{ version: found }, 1]]);
  meter.watch(METRICS.startTime, () => [[{}, startedAt]]);
  meter.watch(METRICS.residentBytes, () => [[{}, process.memoryUsage.rss()]]);
  meter.watch(METRICS.cpuSeconds, () => {
    const { user, system } = process.cpuUsage();
    return [[{}, (user + system) / 1e6]];
  });
  return meter;
}
