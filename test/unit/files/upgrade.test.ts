import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { FORMAT } from '../../../src/adapters/files/journal/checkpoint.ts';
import { FolderReader } from '../../../src/adapters/files/reader.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { audit } from '../../../src/app/audit/audit.ts';
import { systemClock } from '../../../src/compose.ts';
import { isFailure } from '../../../src/domain/failure.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import type { Outgoing, Store, StoreReader } from '../../../src/ports/store.ts';
import { tries } from '../../support/effort.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { FaultyFs } from '../../support/faulty-fs.ts';
import { formerFolder } from '../../support/former-folder.ts';
import { FOLDER, isCrash, observe } from '../../support/store-history.ts';

/** Of the calls of an upgrade, which one crashes. */
const EVERY = tries(1, 7);

const SOURCE = { processor: 'orders', topic: 'orders', partition: 3 } as const;

async function expectWhole(reader: StoreReader): Promise<void> {
  const seen = await observe(reader);
  expect(seen.accepted.map((line) => line.split(' ')[0])).toEqual(['ORD-1', 'ORD-3']);
  expect(seen.rejected.map((line) => line.split(' ')[0])).toEqual(['ORD-2', 'ORD-4']);
  expect(seen.items).toEqual({ book: 98, pen: 50 });
  expect(seen.edits.length).toBe(4);
  expect(await reader.positions()).toMatchObject([{ ...SOURCE, next: 6, clusterId: 'c-1' }]);
}

/** The same on a disk that fails. */
function onFaultyDisk(call: number, format: 2 | 3 | 4 = 2): FaultyFs {
  const files = new FaultyFs(call);
  for (const [name, bytes] of formerFolder(format)) files.put(path.join(FOLDER, name), bytes);
  files.arm({ kind: 'crash', call });
  return files;
}

const own = (files: FaultyFs, notices: StoreNotice[] = []): Promise<FileStore> =>
  FileStore.open({
    files,
    folder: FOLDER,
    clock: new FakeClock(),
    user: 'tester',
    via: 'consume',
    onNotice: (notice) => notices.push(notice),
  });

const DLQ = 'orders.dlq';

describe('a folder of format 2', () => {
  it('is read as it is, and nothing of it is changed', async () => {
    const files = onFaultyDisk(1_000);
    const before = files.names();
    await using reader = await FolderReader.open(files, FOLDER, new FakeClock());
    await expectWhole(reader);
    expect(files.calls).toBe(0);
    expect(files.names()).toEqual(before);
  });

  it('is upgraded by its owner: what is replaced is kept, the user learns of it, and it is whole', async () => {
    const notices: StoreNotice[] = [];
    const files = onFaultyDisk(1_000);
    {
      await using store = await own(files, notices);
      await expectWhole(store);
      expect(store.unsent()).toEqual(new Map([[DLQ, 2]]));
      const keptIn = path.join(FOLDER, '.orderctl/before-5');
      expect(notices).toContainEqual({ kind: 'upgraded', from: 2, to: FORMAT, keptIn });
      for (const name of ['state.json', 'tables.6', 'journal.6']) {
        expect(files.get(path.join(keptIn, name)), name).toEqual(formerFolder(2).get(`.orderctl/${name}`));
      }
      const sent: string[] = [];
      await store.drain(DLQ, async (unsent) => {
        sent.push(...unsent.map(({ id }) => id));
        return [];
      });
      expect(sent).toEqual(['orders/3@2', 'orders/3@5']);
      // Lines of before have no number.
      const seq = await store.transact({}, (snapshot) => ({ changes: {}, result: snapshot.seq }));
      expect(seq).toBe(1);
    }
    notices.length = 0;
    await using again = await own(files, notices);
    await expectWhole(again);
    expect(notices).toEqual([]);
  });

  it('survives a crash before any call of its upgrade', async () => {
    for (let call = 1; ; call += EVERY) {
      for (const how of ['kill', 'power'] as const) {
        const files = onFaultyDisk(call);
        let isOver = false;
        try {
          await using store = await own(files);
          isOver = store.storeId !== '';
        } catch (error) {
          if (!isCrash(error)) throw error;
        }
        const survived = files.survived(how);
        {
          await using reader = await FolderReader.open(survived, FOLDER, new FakeClock());
          await expectWhole(reader);
        }
        await using store = await own(survived);
        await expectWhole(store);
        expect(store.unsent()).toEqual(new Map([[DLQ, 2]]));
        const kept = survived.get(path.join(FOLDER, '.orderctl/before-5/state.json'));
        expect(kept).toEqual(formerFolder(2).get('.orderctl/state.json'));
        if (isOver && files.calls < call) {
          expect(call).toBeGreaterThan(20);
          return;
        }
      }
    }
  });

  it('stands up to an audit afterwards', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-upgrade-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
    fs.mkdirSync(path.join(folder, '.orderctl'));
    for (const [name, bytes] of formerFolder(2)) fs.writeFileSync(path.join(folder, name), bytes);
    const access = openFolder({ folder, clock: systemClock, user: 'tester' });
    const how = { purpose: 'test', via: 'consume', onNotice: () => undefined } as const;
    await (await access.own(how))[Symbol.asyncDispose]();
    const result = await audit(access, { topic: null, repair: false, onNotice: how.onNotice });
    expect(result.differences).toEqual([]);
    expect(result.total).toBe(0);
  });

  it('of a later format is refused, with the way out', async () => {
    const files = onFaultyDisk(1_000);
    const name = path.join(FOLDER, '.orderctl/state.json');
    const { crc32 } = await import('node:zlib');
    const { state } = JSON.parse(files.get(name)?.toString() ?? '') as { state: object };
    const later = { ...state, format: FORMAT + 1 };
    files.put(name, Buffer.from(JSON.stringify({ crc32: crc32(JSON.stringify(later)), state: later })));
    await expect(own(files)).rejects.toSatisfy(
      (error) => isFailure(error, 'corrupt_state') && error.message.includes(`has format ${FORMAT + 1}`),
    );
  });
});

/** What waits in it, by destination: ids, in order. */
const WAITING = {
  'orders.dlq': ['orders/3@1', 'orders/3@2'],
  'inventory-events': [0, 1, 2, 5].map((n) => `s/inventory-events/${n}`),
  alerts: ['s/alerts/4'],
};

describe.each([3, 4] as const)('a folder of format %i, in which messages wait', (format) => {
  const counts = new Map(Object.entries(WAITING).map(([destination, { length }]) => [destination, length]));

  async function expectAllSent(store: Store): Promise<void> {
    expect(store.unsent()).toEqual(counts);
    for (const [destination, ids] of Object.entries(WAITING)) {
      const sent: Outgoing[] = [];
      await store.drain(destination, async (unsent) => {
        sent.push(...unsent);
        return [];
      });
      expect(sent.map(({ id }) => id)).toEqual(ids);
      if (destination !== 'orders.dlq') continue;
      const headers = [['x-error-code', 'undecodable'], ['x-bytes', Buffer.from([2, 255])], ['x-null', null]]; // prettier-ignore
      expect(sent[1]).toMatchObject({ key: Buffer.from('k2'), value: null, headers });
    }
    expect(store.unsent()).toEqual(new Map());
  }

  it('has them counted and listed as it is, and sent once it is upgraded', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-upgrade-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
    fs.mkdirSync(path.join(folder, '.orderctl'));
    for (const [name, bytes] of formerFolder(format)) fs.writeFileSync(path.join(folder, name), bytes);
    const access = openFolder({ folder, clock: systemClock, user: 'tester' });
    const check = async (): Promise<void> => {
      await using inspection = await access.inspect();
      expect(inspection.unsent()).toEqual(counts);
      const ids: string[] = [];
      for await (const { id } of inspection.allUnsent()) ids.push(id);
      expect(ids.sort()).toEqual(Object.values(WAITING).flat().sort());
    };
    await check();
    const notices: StoreNotice[] = [];
    const how = {
      purpose: 'test',
      via: 'consume',
      onNotice: (one: StoreNotice) => notices.push(one),
    } as const;
    await (await access.own(how))[Symbol.asyncDispose]();
    expect(notices).toContainEqual(expect.objectContaining({ kind: 'upgraded', from: format, to: FORMAT }));
    await check();
    {
      await using store = await access.own(how);
      await expectAllSent(store);
    }
    if (format === 3) return;
    // What was kept has all that it names.
    for (const name of ['outbox.1', 'outbox.2', 'outbox.4']) {
      const kept = fs.readFileSync(path.join(folder, '.orderctl/before-5', name));
      const former = formerFolder(format).get(`.orderctl/${name}`) ?? Buffer.from('missing');
      expect(kept.subarray(0, former.length), name).toEqual(former);
    }
  });

  it('loses none of them by a crash before any call of its upgrade', async () => {
    for (let call = 1; ; call += EVERY) {
      for (const how of ['kill', 'power'] as const) {
        const files = onFaultyDisk(call, format);
        let isOver = false;
        try {
          await using store = await own(files);
          isOver = store.storeId !== '';
        } catch (error) {
          if (!isCrash(error)) throw error;
        }
        {
          await using store = await own(files.survived(how));
          await expectAllSent(store);
        }
        if (isOver && files.calls < call) {
          expect(call).toBeGreaterThan(20);
          return;
        }
      }
    }
  });
});
