import type { Mutation } from './list.ts';

const CONTRACT = ['test/contract/postgres-store.test.ts'];
const STORE_OF_COMMANDS = ['test/e2e/postgres.test.ts'];
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
  {
    name: 'two processes own a store in PostgreSQL',
    file: 'src/adapters/postgres/owner/lock.ts',
    from: 'waitedMs = 0; !(await tryLock(connection, OWNER_LOCK));',
    to: 'waitedMs = 0; !(await tryLock(connection, OWNER_LOCK)) && waitedMs < 0;',
    tests: CONTRACT,
  },
  {
    name: 'a request to PostgreSQL that is sent several times at once is made several times',
    file: 'src/adapters/postgres/edit.ts',
    from: 'if (key !== null) await loaded.load({ facts: new Map([[NAMED_EDITS, [key]]]) });',
    to: 'if (key !== null) loaded.facts.set(NAMED_EDITS.name, new Map([[key, []]]));',
    tests: CONTRACT,
  },
  {
    name: 'an owner in PostgreSQL does not hear of edits by other processes',
    file: 'src/adapters/postgres/edit.ts',
    from: 'isNews: true',
    to: 'isNews: false',
    tests: CONTRACT,
  },
  {
    name: 'what an owner in PostgreSQL was trying waits for the end of its lease',
    file: 'src/adapters/postgres/effects.ts',
    from: "SET due_at = 0 WHERE state = 'trying'",
    to: "SET due_at = due_at WHERE state = 'trying'",
    tests: CONTRACT,
  },
  {
    name: 'what a destination in PostgreSQL was given is read again after a failure',
    file: 'src/adapters/postgres/outbox.ts',
    from: '    if (known !== undefined) return known;\n',
    to: '    if (known !== undefined && known.ids.length === 0) return known;\n',
    tests: CONTRACT,
  },
  {
    name: 'a password of the database is taken from a flag',
    file: 'src/cli/settings/store-type.ts',
    from: "if (url.password !== '' && where.startsWith('--')) {",
    to: "if (url.password !== '' && where.startsWith('---')) {",
    tests: STORE_OF_COMMANDS,
  },
  {
    name: 'a password of the database is shown',
    file: 'src/cli/settings/store.ts',
    from: 'url.password = MASK;',
    to: '',
    tests: STORE_OF_COMMANDS,
  },
  {
    name: 'of a store that is given twice one counts in silence',
    file: 'src/cli/settings/store.ts',
    from: 'if (near === far) {',
    to: 'if (near === far && near > 9) {',
    tests: STORE_OF_COMMANDS,
  },
];
