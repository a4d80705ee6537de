import type { Mutation } from './list.ts';

const SERVER = ['test/unit/postgres-server.test.ts'];

/** Promises of the store in PostgreSQL, and of the PostgreSQL that npm brings. */
export const POSTGRES: readonly Mutation[] = [
  {
    name: 'a PostgreSQL goes on when the program that started it is killed',
    file: 'deploy/kafka/services.mjs',
    from: `; kill -"$2" "$1"'`,
    to: `'`,
    tests: SERVER,
  },
];
