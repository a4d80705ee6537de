import type { Mutation } from './list.ts';

const CONTRACT = ['test/contract/postgres-store.test.ts'];
const STORE_OF_COMMANDS = ['test/e2e/postgres.test.ts'];
const SQL = ['test/contract/postgres-sql.test.ts'];
const COPY = ['test/contract/store-copy.test.ts'];
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
    name: 'several own a store in PostgreSQL that one is to own alone',
    file: 'src/adapters/postgres/owner/instances.ts',
    from: 'self.is_alone ? others : others.filter(({ is_alone }) => is_alone)',
    to: 'self.is_alone ? [] : others.filter(({ is_alone }) => is_alone)',
    tests: CONTRACT,
  },
  {
    name: 'a process that slept commits to a store in PostgreSQL that another owns alone',
    file: 'src/adapters/postgres/transactions/enter.ts',
    from: 'if (row.isOut === null) throw new NotRegistered();',
    to: '',
    tests: CONTRACT,
  },
  {
    name: 'a process that was shut out of PostgreSQL goes on',
    file: 'src/adapters/postgres/transactions/enter.ts',
    from: 'if (row.isOut) throw shutOut(connection.name);',
    to: '',
    tests: CONTRACT,
  },
  {
    name: 'small tables in PostgreSQL are as this process left them',
    file: 'src/adapters/postgres/transactions/group.ts',
    from: 'await small.follow(connection, entered.smallSeq);',
    to: '',
    tests: CONTRACT,
  },
  {
    name: 'a transaction in PostgreSQL reads before it has the lock of commits',
    file: 'src/adapters/postgres/transactions/group.ts',
    from: 'await loaded.lock(keys);\n',
    to: 'await loaded.lock(keys);\n    await loaded.read(keys);\n',
    tests: CONTRACT,
  },
  {
    name: 'each process sends all of the outbox in PostgreSQL',
    file: 'src/adapters/postgres/outbox.ts',
    from: 'WHERE destination = $1 AND shard = ANY($2)\n',
    to: 'WHERE destination = $1 AND $2::int[] IS NOT NULL\n',
    tests: CONTRACT,
  },
  {
    name: 'what was lost with its session is committed twice',
    file: 'src/adapters/postgres/lasting.ts',
    from: "if (row?.status === 'committed') return true;",
    to: "if (row?.status === 'committed') return false;",
    tests: CONTRACT,
  },
  {
    name: 'a session that is lost ends the owner in PostgreSQL',
    file: 'src/adapters/postgres/lasting.ts',
    from: '} else if (isAway(error)) {',
    to: '} else if (isAway(error) && this.#onOpen.length < 0) {',
    tests: CONTRACT,
  },
  {
    name: 'a request to PostgreSQL that is sent several times at once is made several times',
    file: 'src/adapters/postgres/edit.ts',
    from: 'if (key !== null) await loaded.readFacts({ facts: new Map([[NAMED_EDITS, [key]]]) });',
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
    file: 'src/adapters/postgres/owner/instances.ts',
    from: "SET due_at = 0 WHERE state = 'trying'",
    to: "SET due_at = due_at WHERE state = 'trying'",
    tests: CONTRACT,
  },
  {
    name: 'what a destination in PostgreSQL was given is read again after a failure',
    file: 'src/adapters/postgres/outbox.ts',
    from: '    if (known?.term === term) return known;\n',
    to: '    if (known?.term === term && known.ids.length === 0) return known;\n',
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
  {
    name: 'what SQL does to the tables is no edit',
    file: 'src/adapters/postgres/migrations/0003-sql-edits.ts',
    from: 'PERFORM orderctl.note_sql_edits(edits) WHERE edits IS NOT NULL;\n  RETURN NULL;\nEND $$;\n\n-- Before',
    to: 'RETURN NULL;\nEND $$;\n\n-- Before',
    tests: SQL,
  },
  {
    name: 'a transaction by SQL that is left open holds up all commits',
    file: 'src/adapters/postgres/migrations/0003-sql-edits.ts',
    from: 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW',
    to: 'DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW',
    tests: SQL,
  },
  {
    name: 'our own transactions are logged as edits by SQL as well',
    file: 'src/adapters/postgres/connection.ts',
    from: "; SET LOCAL orderctl.is_own = 'on'",
    to: '',
    tests: SQL,
  },
  {
    name: 'of two edits of a product at once one is lost',
    file: 'src/adapters/postgres/transactions/loaded.ts',
    from: 'WHERE item = ANY($1) ORDER BY item FOR UPDATE`',
    to: 'WHERE item = ANY($1) ORDER BY item FOR UPDATE OF i`',
    tests: SQL,
  },
  {
    name: 'a certificate of the database that is for another host is taken',
    file: 'src/adapters/postgres/tls.ts',
    from: "mode === 'verify-full' ? {}",
    to: "mode === 'require' ? {}",
    tests: ['test/contract/postgres-tls.test.ts'],
  },
  {
    name: 'a store that was copied is changed in two places',
    file: 'src/adapters/postgres/migrate.ts',
    from: 'if (!evenSealed) await refuseSealed(connection);',
    to: '',
    tests: COPY,
  },
  {
    name: 'a folder that was copied is changed in two places',
    file: 'src/adapters/files/owned.ts',
    from: '  refuseSealed(files, folder);\n',
    to: '',
    tests: COPY,
  },
  {
    name: 'a copied transaction is torn apart',
    file: 'src/app/store/copy.ts',
    from: ' && (last.seq ?? 0) !== seq',
    to: '',
    tests: COPY,
  },
];
