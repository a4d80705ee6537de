import { describe, expect, it } from 'vitest';
import { FolderReader } from '../../../src/adapters/files/reader.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import type { FileSystem } from '../../../src/adapters/files/fs.ts';
import { newFact, type FactLog } from '../../../src/domain/facts.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import type { OutgoingMessage } from '../../../src/domain/messages/outgoing.ts';
import type { Changes, Snapshot } from '../../../src/ports/store.ts';
import { accepted, collect, order } from '../../contract/store.suite.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { FOLDER, isCrash } from '../../support/store-history.ts';

const STEPS: FactLog<{ id: string; step: number }> = { name: 'steps', key: 'id' };

function message(number: number): OutgoingMessage {
  const of = { id: `m/${number}`, type: 'alerts', key: 'book', fields: { number } };
  return { kind: 'message', ...of, at: 1, traceparent: null };
}

async function opened(files: FileSystem): Promise<FileStore> {
  const clock = new FakeClock();
  const store = await FileStore.open({
    files,
    folder: FOLDER,
    clock,
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
  });
  const from = { by: 'tester', via: 'command' } as const;
  if ([...(await store.items())].length === 0) {
    await store.edit({ kind: 'item.add', item: 'book', quantity: 100 }, from);
  }
  return store;
}

/** One that sells a book, tells a step, and leaves a message. */
function sale(number: number): (snapshot: Snapshot) => { changes: Changes; result: unknown[] } {
  return (snapshot) => {
    const stock = snapshot.quantity('book') ?? 0;
    const seen = [
      stock,
      snapshot.decided(`ORD-${number - 1}`)?.order.orderId,
      snapshot.facts(STEPS, 'one').map(({ step }) => step),
      snapshot.small({ name: 'last' }, 'sale'),
    ];
    const changes: Changes = {
      decisions: [accepted(order(`ORD-${number}`, 'book', 1), [stock], number)],
      facts: [newFact(STEPS, { id: 'one', step: number })],
      small: [{ table: { name: 'last' }, key: 'sale', value: number }],
      outgoing: [message(number)],
    };
    return { changes, result: seen };
  };
}

const syncs = (files: FaultyFs): number => files.trace.filter((call) => call.includes('sync')).length;

describe('transactions that wait', () => {
  it('share a record and a sync, each decided on the state before it', async () => {
    const files = new FaultyFs(1);
    const store = await opened(files);
    files.arm(undefined);
    const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => store.transact({}, sale(i))));
    expect(syncs(files)).toBe(1);
    for (const [number, found] of seen.entries()) {
      const before = Array.from({ length: number }, (_, i) => i);
      const last = number === 0 ? undefined : number - 1;
      const orderId = number === 0 ? undefined : `ORD-${number - 1}`;
      expect(found).toEqual([100 - number, orderId, before, last]);
    }
    await store[Symbol.asyncDispose]();
    await using again = await opened(files);
    expect([...(await again.items())].map(({ quantity }) => quantity)).toEqual([80]);
    expect((await collect(again.decisions('accepted'))).length).toBe(20);
    expect((await again.facts(STEPS, 'one')).map(({ step }) => step)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    expect(again.unsent()).toEqual(new Map([['alerts', 20]]));
    const lines = files.get(`${FOLDER}/orders.jsonl`)?.toString().trim().split('\n') ?? [];
    const seqs = lines.map((line) => (JSON.parse(line) as { seq: number }).seq);
    expect(new Set(seqs).size).toBe(20);
  });

  it('go on when one of them is refused, and those that come during a sync share the next', async () => {
    const files = new FaultyFs(2);
    await using store = await opened(files);
    files.arm(undefined);
    const refused = store.transact({}, () => {
      throw new TypeError('of the caller');
    });
    const first = store
      .transact({}, sale(0))
      .then(() => Promise.all([1, 2, 3].map((n) => store.transact({}, sale(n)))));
    await expect(refused).rejects.toThrow(TypeError);
    expect((await first).map(([stock]) => stock)).toEqual([99, 98, 97]);
    expect(syncs(files)).toBe(2);
  });

  it('are seen and sent by nobody before the sync', async () => {
    const inner = new FaultyFs(3);
    let release: (() => void) | undefined;
    let isHeld = false;
    const files: FileSystem = new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'datasync') return value.bind(target) as unknown;
        return async (fd: number) => {
          if (isHeld) await new Promise<void>((resolve) => (release = resolve));
          await target.datasync(fd);
        };
      },
    });
    await using store = await opened(files);
    isHeld = true;
    const both = Promise.all([store.transact({}, sale(0)), store.transact({}, sale(1))]);
    while (release === undefined) await new Promise(setImmediate);
    expect(store.unsent()).toEqual(new Map());
    expect(await store.drain('alerts', async () => [])).toBe(0);
    expect(await collect(store.decisions('accepted'))).toEqual([]);
    expect(await collect(store.allFacts(STEPS))).toEqual([]);
    isHeld = false;
    release();
    await both;
    expect(store.unsent()).toEqual(new Map([['alerts', 2]]));
    expect((await collect(store.decisions('accepted'))).length).toBe(2);
  });

  it('all fail when the sync does', async () => {
    const files = new FaultyFs(4);
    const store = await opened(files);
    files.arm({ kind: 'fail', call: 2, code: 'EIO' });
    const all = await Promise.allSettled([0, 1, 2].map((n) => store.transact({}, sale(n))));
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    for (const one of all) {
      expect(one.status === 'rejected' && isFailure(one.reason, 'write_failed')).toBe(true);
    }
  });

  it('happen all or none, whatever call power fails at', async () => {
    for (let call = 1; call <= 8; call++) {
      const files = new FaultyFs(call);
      const store = await opened(files);
      files.arm({ kind: 'crash', call });
      let isDone = false;
      try {
        await Promise.all([0, 1, 2].map((n) => store.transact({}, sale(n))));
        isDone = true;
      } catch (error) {
        if (!isCrash(error)) throw error;
      }
      for (const how of ['kill', 'power'] as const) {
        const survived = files.survived(how);
        await using reader = await FolderReader.open(survived, FOLDER, new FakeClock());
        const count = (await collect(reader.decisions('accepted'))).length;
        expect(isDone ? [3] : [0, 3]).toContain(count);
        await using again = await opened(survived);
        expect((await collect(again.decisions('accepted'))).length).toBe(count);
        expect((await again.facts(STEPS, 'one')).length).toBe(count);
        expect([...(await again.items())].map(({ quantity }) => quantity)).toEqual([100 - count]);
      }
    }
  });
});
