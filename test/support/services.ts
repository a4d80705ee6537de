import startCluster from './embedded-cluster.ts';
import { startTestPostgres } from './postgres.ts';

/** Several test files at a time have databases on it. */
const SETTINGS = { max_connections: '200', shared_buffers: '64MB' };

/**
 * For all tests of a run: the embedded broker and registry, and one PostgreSQL, found by the environment, for those that want
 * no server of their own. To make one takes a core two seconds.
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
