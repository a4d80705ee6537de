import { describe, expect, it } from 'vitest';
import { LogView } from '../../../src/adapters/files/logs/log.ts';
import { Queues } from '../../../src/adapters/files/outbox/queues.ts';
import { Windows } from '../../../src/adapters/files/outbox/windows.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import type { OutgoingMessage } from '../../../src/domain/messages/outgoing.ts';
import type { Outgoing } from '../../../src/ports/store.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { FOLDER, isCrash } from '../../support/store-history.ts';
import { tries } from '../../support/effort.ts';

const INNER = `${FOLDER}/.orderctl`;

function message(type: string, number: number): OutgoingMessage {
  return {
    kind: 'message',
    id: `${type}/${number}`,
    type,
    key: 'k',
    fields: { number },
    at: 1,
    traceparent: null,
  };
}

const open = (files: FaultyFs): Promise<FileStore> =>
  FileStore.open({
    files,
    folder: FOLDER,
    clock: new FakeClock(),
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
    checkpointBytes: 16 * 1024,
    segmentBytes: 1024,
  });

/** Commits `count` messages in commits of 100. */
async function leave(store: FileStore, type: string, from: number, count: number): Promise<void> {
  for (let at = from; at < from + count; at += 100) {
    const length = Math.min(100, from + count - at);
    const outgoing = Array.from({ length }, (_, i) => message(type, at + i));
    await store.transact({}, () => ({ changes: { outgoing }, result: null }));
  }
}

async function drained(store: FileStore, type: string): Promise<number[]> {
  const numbers: number[] = [];
  while (store.unsent().has(type)) {
    await store.drain(type, async (unsent) => {
      numbers.push(...unsent.map(({ id }) => Number(id.split('/')[1])));
      return [];
    });
  }
  return numbers;
}

/** Waits until a checkpoint, if one is under way, has come to its end: then nothing is called for a while. */
async function atRest(files: FaultyFs): Promise<void> {
  for (let quiet = 0; quiet < 20; quiet++) {
    const before = files.calls + files.reads;
    await new Promise((resolve) => void setImmediate(resolve));
    if (files.calls + files.reads !== before) quiet = 0;
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const segments = (files: FaultyFs): string[] =>
  files.list(INNER).filter((name) => name.startsWith('outbox.'));

describe('what waits to be sent', () => {
  it('is sent in order, each once, however much of it there is, and over the end of the owner', async () => {
    const files = new FaultyFs(1);
    {
      await using store = await open(files);
      await leave(store, 'dead', 0, 7_000);
      await leave(store, 'alive', 0, 300);
      expect(await drained(store, 'alive')).toEqual(upTo(300));
      expect(store.unsent()).toEqual(new Map([['dead', 7_000]]));
    }
    await using store = await open(files);
    expect(store.unsent()).toEqual(new Map([['dead', 7_000]]));
    await leave(store, 'dead', 7_000, 50);
    expect(await drained(store, 'dead')).toEqual(upTo(7_050));
  });

  it('costs a commit no more calls and reads than when little waits', async () => {
    const files = new FaultyFs(1);
    await using store = await open(files);
    const costs: { readonly calls: number; readonly reads: number }[] = [];
    for (let part = 0; part < 4; part++) {
      files.arm(undefined);
      for (let at = part * 3_000; at < (part + 1) * 3_000; at += 100) {
        await leave(store, 'dead', at, 100);
        await atRest(files);
      }
      costs.push({ calls: files.calls, reads: files.reads });
    }
    // The first part makes the folder's files; each of the others has as many checkpoints, give or take one.
    const [, second, , last] = costs;
    expect(segments(files).length).toBeGreaterThan(100);
    expect(last?.calls).toBeLessThan(1.1 * (second?.calls ?? 0));
    expect(last?.reads).toBeLessThan(1.5 * (second?.reads ?? 0));
  });

  it('is the same objects until it is sent, and what comes meanwhile follows it', async () => {
    await using store = await open(new FaultyFs(1));
    await leave(store, 'dead', 0, 3_000);
    const tries: (readonly Outgoing[])[] = [];
    for (let count = 0; count < 2; count++) {
      const fails = store.drain('dead', async (unsent) => {
        tries.push(unsent);
        throw new Error('no broker');
      });
      await expect(fails).rejects.toThrow('no broker');
      await leave(store, 'dead', 3_000 + count * 10, 10);
    }
    const [first = [], second = []] = tries;
    expect(first.length).toBe(2_000);
    expect(second.every((one, at) => one === first[at])).toBe(true);
    expect(await drained(store, 'dead')).toEqual(upTo(3_020));
  });

  it('makes no snapshot larger, and what is sent leaves the disk though another destination takes nothing', async () => {
    const files = new FaultyFs(1);
    {
      await using store = await open(files);
      await leave(store, 'dead', 0, 200);
      for (let round = 0; round < 20; round++) {
        await leave(store, 'alive', round * 100, 100);
        await drained(store, 'alive');
      }
    }
    const { tables } = (JSON.parse(files.get(`${INNER}/state.json`)?.toString() ?? '') as { state: { tables: { sizeBytes: number } } }).state; // prettier-ignore
    expect(tables.sizeBytes).toBeLessThan(1_000);
    const held = segments(files).reduce(
      (sum, name) => sum + (files.stat(`${INNER}/${name}`)?.sizeBytes ?? 0),
      0,
    );
    const dead = 200 * JSON.stringify(message('dead', 100)).length;
    expect(held).toBeLessThan(dead * 1.1);
    await using store = await open(files);
    expect(await drained(store, 'dead')).toEqual(upTo(200));
  });

  it('is on the disk in segments of a limited size, whose numbers are not used again', async () => {
    const files = new FaultyFs(1);
    let last = 0;
    for (let round = 0; round < 3; round++) {
      await using store = await open(files);
      await leave(store, 'dead', 0, 500);
      const numbers = segments(files).map((name) => Number(name.slice('outbox.'.length)));
      expect(numbers.length).toBeGreaterThan(4);
      expect(Math.min(...numbers)).toBeGreaterThan(last);
      last = Math.max(...numbers);
      await drained(store, 'dead');
    }
    expect(segments(files)).toEqual([]);
  });

  it('that is damaged is refused, and nothing else is sent in its place', async () => {
    const files = new FaultyFs(1);
    {
      await using store = await open(files);
      // The last 64 KiB are compared at the start.
      await store.transact({}, () => ({ changes: { outgoing: [message('dead', 0)] }, result: null }));
      const large = { ...message('dead', 1), fields: { text: 'x'.repeat(100_000) } };
      await store.transact({}, () => ({ changes: { outgoing: [large] }, result: null }));
    }
    const [name = ''] = segments(files);
    const bytes = files.get(`${INNER}/${name}`) ?? Buffer.alloc(0);
    files.put(`${INNER}/${name}`, Buffer.concat([Buffer.from('#'), bytes.subarray(1)]));
    const store = await open(files);
    const sent = store.drain('dead', async () => []);
    await expect(sent).rejects.toSatisfy((error) => isFailure(error, 'corrupt_state'));
    await store[Symbol.asyncDispose]().catch(() => undefined);
  });

  it('in a segment that the journal has lost is noticed at the start; an empty file of one is not', async () => {
    const files = new FaultyFs(1);
    const store = await open(files);
    const journal = `${INNER}/journal.1`;
    const sizeBytes = files.stat(journal)?.sizeBytes ?? 0;
    await leave(store, 'dead', 0, 1);
    const begun = files.survived('kill');
    begun.put(journal, (begun.get(journal) ?? Buffer.alloc(0)).subarray(0, sizeBytes));
    await expect(open(begun.survived('kill'))).rejects.toSatisfy(
      (error) => isFailure(error, 'corrupt_state') && error.context.file === `${INNER}/outbox.1`,
    );
    begun.put(`${INNER}/outbox.1`, Buffer.alloc(0));
    await using again = await open(begun);
    expect(again.unsent()).toEqual(new Map());
    await store[Symbol.asyncDispose]();
  });

  it('that the disk does not hold is missed', async () => {
    const queues = new Queues();
    queues.apply(['queued', 'dead', 3]);
    const windows = new Windows(queues, () => new LogView(new FaultyFs(1), []));
    expect(() => windows.next('dead')).toThrow('3 messages to dead are missing');
  });

  it('is in memory up to forty thousand of each destination, and 16 MiB', () => {
    expect(keptOf(100)).toBe(40_000);
    // Of the last 384 the rest of a send is read.
    expect(keptOf(1_024)).toBe(16_000);
  });

  /** How many of so many bytes each can be sent before the disk is read. */
  function keptOf(sizeBytes: number): number {
    const queues = new Queues();
    let sent = 0;
    const windows = new Windows(queues, () => {
      throw new Error('the disk is read');
    });
    const waiting = upTo(50_000).map((number) => ({
      outgoing: [message('dead', number)],
      sizeBytes,
      after: { segment: 1, position: number * sizeBytes },
    }));
    windows.add('dead', waiting);
    queues.apply(['segment', 1, 'dead']);
    queues.apply(['queued', 'dead', waiting.length]);
    try {
      for (;;) {
        const next = windows.next('dead');
        sent += next.length;
        const { segment, position } = windows.remove('dead', next.length);
        queues.apply(['drained', 'dead', sent, segment, position]);
      }
    } catch (error) {
      expect(String(error)).toContain('the disk is read');
      return sent;
    }
  }

  it('survives a crash before every call: none is lost, and none that was sent comes again', async () => {
    for (let call = 1; ; call += tries(1, 11)) {
      const files = new FaultyFs(call);
      files.arm({ kind: 'crash', call });
      const committed = { dead: 0, alive: 0 };
      let began = committed;
      let sent = 0;
      let sending = 0;
      let isOver = false;
      try {
        await using store = await open(files);
        for (let round = 0; round < 3; round++) {
          for (const type of ['dead', 'alive'] as const) {
            began = { ...committed, [type]: committed[type] + 100 };
            await leave(store, type, committed[type], 100);
            committed[type] += 100;
          }
          sending = committed.alive;
          await drained(store, 'alive');
          sent = committed.alive;
        }
        isOver = true;
      } catch (error) {
        if (!isCrash(error)) throw error;
      }
      for (const how of ['kill', 'power'] as const) {
        await using store = await open(files.survived(how));
        const dead = await drained(store, 'dead');
        expect([committed.dead, began.dead]).toContain(dead.length);
        expect(dead).toEqual(upTo(dead.length));
        const alive = await drained(store, 'alive');
        const from = alive[0] ?? committed.alive;
        expect([sent, sending]).toContain(from);
        expect([committed.alive, began.alive]).toContain(from + alive.length);
        expect(alive).toEqual(upTo(from + alive.length).slice(from));
      }
      if (isOver && files.calls < call) {
        expect(call).toBeGreaterThan(100);
        return;
      }
    }
  });
});
