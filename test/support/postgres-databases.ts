import { afterAll, beforeAll } from 'vitest';
import { openShop, type Shop } from './cli.ts';
import { ask, otherDatabase, startTestPostgres, type TestPostgres } from './postgres.ts';

/** One PostgreSQL for all tests of a file, and shops on it, each in its own database. */
export function postgresForShops(): {
  readonly url: () => string;
  readonly openDatabase: (env?: Readonly<Record<string, string>>) => Promise<Shop & { url: string }>;
} {
  let server: TestPostgres;
  let databases = 0;
  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(() => server[Symbol.asyncDispose]());
  return {
    url: () => server.url,
    openDatabase: async (env = {}) => {
      const name = `shop_${process.pid}_${Date.now()}_${++databases}`;
      await ask(server.url, `CREATE DATABASE ${name}`);
      const url = otherDatabase(server.url, name);
      return { ...openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: url, ...env }), url };
    },
  };
}
