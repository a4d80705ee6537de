import startCluster from './embedded-cluster.ts';
import { startTestPostgres } from './postgres.ts';

/** Several test files have databases on it at the same time. */
const SETTINGS = { max_connections: '200', shared_buffers: '64MB' };

/**
 * Set-up of a whole run: the embedded broker and registry, and one PostgreSQL for tests that need no server of their
 * own; tests find them by the environment. Starting a PostgreSQL takes two seconds of one core.
 */
export default async function start(): Promise<() => Promise<void>> {
  const started = await Promise.allSettled([startCluster(), startPostgres()]);
  const stop = async (): Promise<void> => {
    const stopping = started.map(async (one) => {
      if (one.status === 'fulfilled') await one.value();
    });
    throwFirst(await Promise.allSettled(stopping));
  };
  if (started.some(({ status }) => status === 'rejected')) await stop();
  throwFirst(started);
  return stop;
}

function throwFirst(results: readonly PromiseSettledResult<unknown>[]): void {
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function startPostgres(): Promise<() => Promise<void>> {
  if ((process.env.ORDERCTL_TEST_POSTGRES ?? '') !== '') return () => Promise.resolve();
  const server = await startTestPostgres(SETTINGS);
  process.env.ORDERCTL_TEST_POSTGRES = server.url;
  return async () => {
    await server[Symbol.asyncDispose]();
  };
}
