import type { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import type { Meter } from '../../ports/outside/meter.ts';
import { checkAccess, LOOPBACK, tokenIn } from '../input/access.ts';
import { listenFailure } from '../input/listen.ts';
import { portOf } from '../parse.ts';
import type { Session } from '../session.ts';

export interface MetricsFlags {
  readonly metricsPort?: string;
  readonly metricsHost?: string;
  readonly apiTokenFile?: string;
  readonly insecure?: true;
}

/** Gives a command that runs processors the flags of its metrics. */
export function addMetricsFlags(command: Command): Command {
  return command
    .option('--metrics-port <N>', 'serve /metrics for Prometheus; 0: any free port')
    .option('--metrics-host <HOST>', `address for /metrics (default: ${LOOPBACK})`)
    .option('--api-token-file <FILE>', 'file with the token for /metrics')
    .option('--insecure', 'serve /metrics to other machines without a token');
}

/** The meter; disposal stops serving the metrics. */
export type ServedMetrics = AsyncDisposable & { readonly meter: Meter | undefined };

/** @throws Failure usage, invalid_value, invalid_settings, port_in_use */
export async function serveMetrics({ printer }: Session, flags: MetricsFlags): Promise<ServedMetrics> {
  const { metricsPort, metricsHost, apiTokenFile, insecure } = flags;
  if (metricsPort === undefined) {
    const [without] = [
      ...(metricsHost === undefined ? [] : ['--metrics-host']),
      ...(apiTokenFile === undefined ? [] : ['--api-token-file']),
      ...(insecure === undefined ? [] : ['--insecure']),
    ];
    if (without !== undefined)
      throw new Failure('usage', `${without} goes with --metrics-port`, { fix: 'add --metrics-port 9464' });
    return { meter: undefined, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const port = portOf('--metrics-port', metricsPort);
  const host = metricsHost ?? LOOPBACK;
  const token = apiTokenFile === undefined ? null : tokenIn(apiTokenFile);
  const danger = 'other machines could read how much is sold';
  checkAccess({ host, flag: '--metrics-host', token, isInsecure: insecure === true, danger });
  const [{ openMetrics }, { startMetrics }] = await Promise.all([
    import('./open.ts'),
    import('../../http/metrics-server.ts'),
  ]);
  const meter = await openMetrics();
  const server = await startMetrics(meter, { host, port, token }).catch((error: unknown) => {
    throw listenFailure(error, { host, port, flag: '--metrics-port' }) ?? error;
  });
  printer.info(`metrics on ${server.url}`);
  return { meter, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
