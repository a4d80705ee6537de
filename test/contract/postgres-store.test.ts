import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { Connection } from '../../src/adapters/postgres/connection.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { COMMIT_LOCK } from '../../src/adapters/postgres/transactions/locks.ts';
import { OWED } from '../../src/adapters/postgres/owner/requests.ts';
import { lockCommits } from '../../src/adapters/postgres/transactions/seq.ts';
import { systemClock } from '../../src/compose.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { SmallTable } from '../../src/domain/facts.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { ConsumerStatus, OwnOptions } from '../../src/ports/owner.ts';
import type { Store } from '../../src/ports/store.ts';
import { startCuttingProxy } from '../support/cutting-proxy.ts';
import { EMPTY_STORE, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { waitFor } from '../support/wait.ts';
import { computedCopiesContract } from './store-computed.suite.ts';
import { storePartsContract } from './store-parts.suite.ts';
import { sharedStoreContract, type SharedStoreUnderTest } from './store-shared.suite.ts';
import { storeContract } from './store.suite.ts';

const IDLE: ConsumerStatus = {
  state: 'consuming',
  waitingFor: null,
  topic: 'orders',
  group: 'g',
  ordersPerSecond: 0,
  lag: 0,
  lastCommitAt: null,
  processors: [],
  brokenFiles: [],
  counts: { read: 0, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, deadLettered: 0 },
};

describe('the store in PostgreSQL', () => {
  let server: TestPostgres;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startTestPostgres();
    client = new pg.Client(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await server[Symbol.asyncDispose]();
  });

  const accessBy = (url: string, clock: Clock = systemClock): StoreAccess =>
    openPostgres({ url, password: null, clock, processes, user: 'tester' });
  /** To the same store, by way of a proxy that cuts connections. */
  const accessByProxy = async () => {
    const { hostname: host, port } = new URL(server.url);
    const proxy = await startCuttingProxy({ host, port: Number(port) });
    return { proxy, access: accessBy(server.url.replace(`:${port}`, `:${proxy.port}`)) };
  };

  // The first one finds no store, and the others an empty one.
  const make = async (): Promise<SharedStoreUnderTest> => ({
    access: () => accessBy(server.url),
    ahead: (aheadMs) => accessBy(server.url, { ...systemClock, now: () => systemClock.now() + aheadMs }),
    forget: async (purpose) => {
      await client.query('DELETE FROM orderctl.instances WHERE purpose = $1', [purpose]);
    },
    shutOut: async (purpose) => {
      await client.query('UPDATE orderctl.instances SET is_out = true WHERE purpose = $1', [purpose]);
    },
    endSessions: async () => {
      await client.query(
        // Of this database: other tests may run on the same server.
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'orderctl' AND datname = current_database()`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      await client.query(EMPTY_STORE);
    },
  });

  test.each([
    ['lacks what was committed', 'DELETE FROM orderctl.small_tables'],
    ['uses numbers again', "SELECT setval('orderctl.commit_seq', 1)"],
    // The sequence of a standby is ahead of what it lacks.
    ['lacks the last commit of this process', 'UPDATE orderctl.instance_commits SET seq = seq - 1'],
    ['lacks all commits of this process', 'DELETE FROM orderctl.instance_commits'],
  ])('a database that was put back to an earlier state, and %s, ends who worked on it', async (_, back) => {
    await using under = await make();
    const onNotice = (): void => undefined;
    const failed: Error[] = [];
    const onFailure = (failure: Error): void => void failed.push(failure);
    await using store = await under.access().own({ purpose: 'test', via: 'consume', onNotice, onFailure });
    const table: SmallTable<number> = { name: 'counts' };
    const count = (value: number): Promise<null> =>
      store.transact({}, () => ({ changes: { small: [{ table, key: 'k', value }] }, result: null }));
    await count(1);
    await count(2);
    await client.query(back);
    await expect(count(3)).rejects.toMatchObject({ code: 'corrupt_state' });
    expect(failed).toHaveLength(1);
  });

  test('a request with a name is made once, by whichever process and however often it is sent at once', async () => {
    await using under = await make();
    const onNotice = (): void => undefined;
    const conditions = { row: null, key: 'k-1' };
    const how = { via: 'http', onNotice } as const;
    const adding = { kind: 'item.add', item: 'pen', quantity: 5 } as const;
    const all = Array.from({ length: 5 }, () => under.access());
    const added = await Promise.all(all.map((access) => access.editIf(adding, conditions, how)));
    const updating = { kind: 'item.update', item: 'pen', by: 20 } as const;
    const updated = await Promise.all(
      all.map((access) => access.editIf(updating, { row: null, key: 'k-2' }, how)),
    );
    for (const made of [added, updated]) {
      expect(made.map(({ isRepeat }) => isRepeat).sort()).toEqual([false, true, true, true, true]);
      expect(made.map(({ edit }) => edit)).toEqual(made.map(() => made[0]?.edit));
    }
    await using reader = await under.access().read();
    expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([25]);
  });

  describe('in flight', () => {
    const counters: SmallTable<number> = { name: 'counters' };
    const count = (store: Store): Promise<number> =>
      store.transact({ items: ['book'] }, (state) => {
        const value = (state.small(counters, 'all') ?? 0) + 1;
        return { changes: { small: [{ table: counters, key: 'all', value }] }, result: value };
      });
    const open = async (under: SharedStoreUnderTest, how: Partial<OwnOptions> = {}): Promise<Store> => {
      const onNotice = (): void => undefined;
      const adding = { kind: 'item.add', item: 'book', quantity: 5 } as const;
      await under.access().edit(adding, { via: 'command', onNotice });
      return under.access().own({ purpose: 'test', via: 'consume', onNotice, ...how });
    };

    test('a transaction that meets another one crosswise is run again', async () => {
      await using under = await make();
      await using store = await open(under);
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${COMMIT_LOCK})`);
      const counted = count(store);
      await waitFor('it to wait for the lock of commits', async () => {
        const { rows } = await client.query(
          "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted",
        );
        return rows.length > 0;
      });
      // It has that row. The server ends the one of the two that finds out first.
      const other = client.query("SELECT FROM orderctl.inventory WHERE item = 'book' FOR UPDATE");
      await other.catch(() => undefined);
      await client.query('COMMIT');
      expect(await counted).toBe(1);
      expect(await count(store)).toBe(2);
    });

    test('a commit whose answer is lost counts once, and one that never came is made', async () => {
      await using under = await make();
      await using seen = await open(under);
      const { proxy, access } = await accessByProxy();
      const onNotice = (): void => undefined;
      await using store = await access.own({ purpose: 'cut', via: 'consume', onNotice, awayLimitMs: null });
      for (const value of [1, 2, 3]) {
        // The end of the text: a BEGIN has READ COMMITTED in it.
        proxy.cutAfter('COMMIT\0');
        expect(await count(store)).toBe(value);
        expect(proxy.cuts()).toBe(value);
      }
      proxy.cutAfter('orderctl.small_tables');
      expect(await count(store)).toBe(4);
      expect(await count(seen)).toBe(5);
      // As another does that owns it alone for a moment: what this one has committed stays known.
      proxy.cutAfter('COMMIT\0', () => under.forget('cut'));
      expect(await count(store)).toBe(6);
      expect(proxy.cuts()).toBe(5);
      expect(await count(store)).toBe(7);
    });

    test('a server that vanishes in a statement, without a word, is not waited for', async () => {
      await using under = await make();
      await using seen = await open(under);
      const { proxy, access } = await accessByProxy();
      await using store = await access.own({ purpose: 'cut', via: 'consume', onNotice: () => undefined });
      expect(await count(store)).toBe(1);
      proxy.vanish();
      await expect(count(store)).rejects.toMatchObject({ code: 'store_unreachable' });
      expect(await count(seen)).toBe(2);
    }, 60_000);

    test('the last commit of a process is kept until it ends, or is long gone', async () => {
      await using under = await make();
      await using seen = await open(under);
      const own = (): Promise<Store> =>
        under.access().own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
      const commits = async (): Promise<number> =>
        (await client.query('SELECT FROM orderctl.instance_commits')).rows.length;
      {
        await using ended = await own();
        await count(ended);
        await count(seen);
        expect(await commits()).toBe(2);
      }
      expect(await commits()).toBe(1);
      await client.query(
        `INSERT INTO orderctl.instance_commits (instance, seq, at)
           SELECT gen_random_uuid(), 1, clock_timestamp() - days * interval '1 day' FROM unnest(ARRAY[29, 31]) days`,
      );
      // That of a process that is there stays, however long ago it was.
      await client.query("UPDATE orderctl.instance_commits SET at = at - interval '60 days' WHERE seq > 1");
      await using next = await own();
      expect(await commits()).toBe(2);
      expect([await count(seen), await count(next)]).toEqual([3, 4]);
    });

    test('an edit whose answer is lost says that it may have been made', async () => {
      await using under = await make();
      const onNotice = (): void => undefined;
      const { proxy, access } = await accessByProxy();
      const adding = { kind: 'item.add', item: 'pen', quantity: 5 } as const;
      await under.access().edit(adding, { via: 'command', onNotice });
      proxy.cutAfter('COMMIT\0');
      const edited = access.edit({ kind: 'item.update', item: 'pen', by: 20 }, { via: 'command', onNotice });
      await expect(edited).rejects.toMatchObject({
        code: 'store_unreachable',
        message: expect.stringContaining('may or may not have been made') as string,
      });
    });

    test('a lock of another session is named and waited for, and the process goes on renewing what it has', async () => {
      await using under = await make();
      const away: (Error | null)[] = [];
      const onAway = (failure: Error | null): void => void away.push(failure);
      await using store = await open(under, { awayLimitMs: null, onAway });
      await using other = await under
        .access()
        .own({ purpose: 'other', via: 'consume', onNotice: () => undefined });
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${COMMIT_LOCK})`);
      const { rows: session } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      const counted = count(store);
      const adding = { kind: 'item.add', item: 'pen', quantity: 5 } as const;
      const edited = under.access().edit(adding, { via: 'command', onNotice: () => undefined });
      await waitFor('a word about the lock', async () => away.length > 0);
      expect(away[0]?.message).toMatch(
        new RegExp(
          `blocked by session ${session[0]?.pid} \\(user orderctl\\), idle in transaction for \\d s: `,
        ),
      );
      // Between two tries.
      const { rows: fresh } = await client.query(
        "SELECT FROM orderctl.instances WHERE seen_at > clock_timestamp() - interval '3 s'",
      );
      await client.query('COMMIT');
      expect(fresh).toHaveLength(2);
      expect(await counted).toBe(1);
      expect(await edited).toMatchObject({ item: 'pen' });
      expect(away.at(-1)).toBeNull();
      expect(await count(other)).toBe(2);
    });

    test('a process that is paused in a commit is ended by the server, and the others go on', async () => {
      await using under = await make();
      await using store = await open(under);
      await using paused = await Connection.open({ url: server.url, password: null });
      let wake: () => void = () => undefined;
      const pausing = paused.transaction(async () => {
        await lockCommits(paused);
        await new Promise<void>((resolve) => (wake = resolve));
        return paused.query('SELECT');
      });
      await waitFor('it to have the lock', async () => {
        const { rows } = await client.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted");
        return rows.length > 0;
      });
      expect(await count(store)).toBe(1);
      wake();
      await expect(pausing).rejects.toSatisfy((error) => isFailure(error, 'store_unreachable'));
    });

    test('a database that takes no writes, as a standby, is waited for until it does', async () => {
      await using under = await make();
      const away: (Error | null)[] = [];
      await using store = await open(under, {
        awayLimitMs: null,
        onAway: (failure) => void away.push(failure),
      });
      await client.query(`ALTER DATABASE ${client.database} SET default_transaction_read_only = on`);
      await under.endSessions();
      const counted = count(store);
      await waitFor('sessions that take none', async () => {
        const { rows } = await client.query(
          "SELECT FROM pg_stat_activity WHERE application_name = 'orderctl' AND backend_start > now() - interval '1 s'",
        );
        return rows.length > 0;
      });
      await client.query(`ALTER DATABASE ${client.database} RESET default_transaction_read_only`);
      expect(await counted).toBe(1);
    });

    test('a store that a newer program has migrated is left alone', async () => {
      await using under = await make();
      const failures: Error[] = [];
      await using store = await open(under, { onFailure: (failure) => void failures.push(failure) });
      expect(await count(store)).toBe(1);
      await client.query('INSERT INTO orderctl.migrations (number) VALUES (99)');
      try {
        await expect(count(store)).rejects.toSatisfy((error) => isFailure(error, 'store_too_new'));
        expect(failures).toHaveLength(1);
      } finally {
        await client.query('DELETE FROM orderctl.migrations WHERE number = 99');
      }
    });

    test('tables that a newer program has changed are no bug of this one, in a transaction or not', async () => {
      await using under = await make();
      await using store = await open(under);
      await using connection = await Connection.open({ url: server.url, password: null });
      const rename = (from: string, to: string): string =>
        `ALTER TABLE orderctl.outbox RENAME COLUMN ${from} TO ${to}`;
      const statements = [
        () => connection.query('SELECT message_count FROM orderctl.outbox'),
        () => connection.transaction(() => connection.query('UPDATE orderctl.outbox SET message_count = 1')),
        () =>
          connection.query(
            "INSERT INTO orderctl.outbox (destination, messages, count) VALUES (NULL, '[]', 1)",
          ),
        () => store.unsentElsewhere(),
      ];
      try {
        await client.query(rename('message_count', 'count'));
        await expect(statements[0]?.()).rejects.toMatchObject({ code: '42703' });
        await client.query('INSERT INTO orderctl.migrations (number) VALUES (99)');
        for (const run of statements) {
          await expect(run()).rejects.toSatisfy((error) => isFailure(error, 'store_too_new'));
        }
      } finally {
        await client.query(
          `DELETE FROM orderctl.migrations WHERE number = 99; ${rename('count', 'message_count')}`,
        );
      }
    });

    test('more than are counted at a time are all sent, by one whose look at others was the last', async () => {
      await using under = await make();
      await using store = await open(under);
      await client.query(
        `INSERT INTO orderctl.outbox (destination, shard, messages, message_count)
           SELECT 'd', n % 16, '[{"kind":"message"}]', 1 FROM generate_series(1, 20500) n; NOTIFY ${OWED}`,
      );
      await waitFor('it to see them', async () => store.unsent().has('d'));
      let sent = 0;
      while (store.unsent().has('d')) sent += await store.drain('d', async () => []);
      expect(sent).toBe(20_500);
    });

    test('what others have sent meanwhile is not waited for, and what comes after it is sent', async () => {
      await using under = await make();
      await using store = await open(under);
      const add = `INSERT INTO orderctl.outbox (destination, shard, messages, message_count)
         VALUES ('d', 3, '[{"kind":"message"}]', 1); NOTIFY ${OWED}`;
      await client.query(add);
      await waitFor('it to see them', async () => store.unsent().has('d'));
      await client.query('DELETE FROM orderctl.outbox');
      expect(await store.drain('d', async () => [])).toBe(0);
      expect(store.unsent().has('d')).toBe(false);
      await client.query(add);
      await waitFor('it to see the next ones', async () => store.unsent().has('d'));
      expect(await store.drain('d', async () => [])).toBe(1);
    });

    test('one that is away for longer than it may be ends the owner', async () => {
      await using under = await make();
      await using store = await open(under, { awayLimitMs: 300 });
      await client.query(`ALTER DATABASE ${client.database} SET default_transaction_read_only = on`);
      await under.endSessions();
      try {
        await expect(count(store)).rejects.toSatisfy((error) => isFailure(error, 'store_refused'));
      } finally {
        await client.query(`ALTER DATABASE ${client.database} RESET default_transaction_read_only`);
      }
    });
  });

  test('what others edit is taken in by a process that announces it, where there is one', async () => {
    await using under = await make();
    const onNotice = (): void => undefined;
    const how = { via: 'command', onNotice } as const;
    await under.access().edit({ kind: 'item.add', item: 'book', quantity: 5 }, how);
    const owning = { purpose: 'test', via: 'consume', onNotice } as const;
    const commit = (store: Store): Promise<null> => store.transact({}, () => ({ changes: {}, result: null }));
    const news = async (): Promise<number> =>
      (await client.query('SELECT FROM orderctl.edits WHERE is_news')).rows.length;
    const seen: unknown[] = [];
    const onEdits = (edits: readonly unknown[]): object => {
      seen.push(...edits);
      return {};
    };
    await using quiet = await under.access().own(owning);
    // One that announces and is busy.
    await client.query(
      `INSERT INTO orderctl.instances (id, host, pid, purpose, started_at, is_consumer, is_alone, announces, seen_at)
       VALUES (gen_random_uuid(), 'elsewhere', 7, 'busy', 0, true, false, true, clock_timestamp() + interval '1 h')`,
    );
    await under.access().edit({ kind: 'item.update', item: 'book', by: 1 }, how);
    await commit(quiet);
    expect(await news()).toBe(1);
    // It is asleep.
    await client.query(
      `UPDATE orderctl.instances SET seen_at = clock_timestamp() - interval '1 min' WHERE purpose = 'busy'`,
    );
    await commit(quiet);
    expect(await news()).toBe(1);
    {
      await using announcing = await under.access().own({ ...owning, onEdits });
      await commit(announcing);
      expect([seen.length, await news()]).toEqual([1, 0]);
    }
    await under.forget('busy');
    await under.access().edit({ kind: 'item.update', item: 'book', by: 1 }, how);
    await commit(quiet);
    expect([seen.length, await news()]).toEqual([1, 0]);
  });

  test('a process that is silent for long is found: it is shown as silent, and can be shut out', async () => {
    await using under = await make();
    const onNotice = (): void => undefined;
    const adding = { kind: 'item.add', item: 'book', quantity: 5 } as const;
    await under.access().edit(adding, { via: 'command', onNotice });
    const silent = (id: string): Promise<unknown> =>
      client.query(
        `INSERT INTO orderctl.instances (id, host, pid, purpose, started_at, is_consumer, is_alone, seen_at)
         VALUES ($1, 'elsewhere', 7, 'run', 0, true, false, clock_timestamp() - interval '1 min')`,
        [id],
      );
    const id = '00000000-0000-4000-8000-000000000007';
    await silent(id);
    await expect(under.access().consumerStatus()).rejects.toSatisfy((error) =>
      isFailure(error, 'owner_unreachable'),
    );
    {
      await using store = await under
        .access()
        .own({ purpose: 'test', via: 'consume', onNotice, status: () => IDLE });
      await store.transact({}, () => ({ changes: {}, result: null }));
      const status = await under.access().consumerStatus();
      expect(status?.instances?.map(({ pid, state }) => [pid, state])).toEqual([
        [7, 'silent'],
        [process.pid, 'consuming'],
      ]);
      const stopped = await under.access().stopConsumer({ kill: true, instance: 'elsewhere:7' });
      expect(stopped?.instances).toEqual([{ pid: 7, host: 'elsewhere', killed: true }]);
    }
    expect(await under.access().consumerStatus()).toBeNull();
    // A process that is alone does not wait for it.
    await client.query('DELETE FROM orderctl.instances');
    await silent(id);
    await using alone = await under
      .access()
      .own({ purpose: 'test', via: 'command', onNotice, isAlone: true });
    expect(alone.isShared).toBe(true);
    const { rows } = await client.query('SELECT FROM orderctl.instances WHERE id = $1', [id]);
    expect(rows).toEqual([]);
  }, 60_000);

  test('a claim outlasts what the server allows a session that says nothing, and is lost with its session', async () => {
    await using under = await make();
    const limits = ['idle_in_transaction_session_timeout', 'transaction_timeout'];
    const known = await client.query<{ name: string }>('SELECT name FROM pg_settings WHERE name = ANY($1)', [
      limits,
    ]);
    const names = known.rows.map(({ name }) => name);
    const setAll = (what: string) =>
      client.query(
        `DO $$ BEGIN ${names.map((name) => `EXECUTE format('ALTER DATABASE %I ${what.replace('NAME', name)}', current_database());`).join(' ')} END $$`,
      );
    await setAll('SET NAME = 1500');
    try {
      await using claim = await under.access().claim('redrive');
      // Each of the limits ends a session that began later.
      await Promise.all(
        names.map(async (name) => {
          const other = new pg.Client(server.url);
          other.on('error', () => undefined);
          const ended = new Promise((resolve) => other.once('end', resolve));
          await other.connect();
          for (const off of names) if (off !== name) await other.query(`SET ${off} = 0`);
          await other.query('BEGIN');
          await ended;
        }),
      );
      await claim.check();
      const isTaken = (error: unknown) => isFailure(error, 'folder_in_use');
      await expect(under.access().claim('redrive')).rejects.toSatisfy(isTaken);
      await under.endSessions();
      const isLost = (error: unknown) => isFailure(error, 'store_unreachable');
      await expect(claim.check()).rejects.toSatisfy(isLost);
    } finally {
      await setAll('RESET NAME');
    }
  });

  // Apart, since each prepares the store for its own tests.
  describe('users, items and orders', () => storeContract(make));
  describe('several owners', () => sharedStoreContract(make));
  describe('all else', () => storePartsContract(make));

  describe('what is computed from a copy', () => computedCopiesContract(make));
});
