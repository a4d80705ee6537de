import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { showStatus } from '../../src/app/status/show.ts';
import { systemClock } from '../../src/compose.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { ConsumerStatus } from '../../src/ports/owner.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const BROKEN = { file: 'users.csv', line: 3, message: 'users.csv:3: status free is neither paid nor unpaid' };
const STATUS = { state: 'consuming', brokenFiles: [BROKEN] } as unknown as ConsumerStatus;
const how = { purpose: 'consume', via: 'consume', onNotice: () => undefined } as const;

describe('beside a consumer', () => {
  let folder: ModelFolder;
  beforeEach(() => {
    folder = new ModelFolder(new FakeClock());
  });

  it('the files are those that it names, and those that were kept aside', async () => {
    await folder.own({ ...how, status: () => STATUS });
    folder.aside.push({ file: 'inventory.csv.conflict', why: 'stranger' });
    expect(await showStatus(folder)).toEqual({
      consumer: { pid: 1, startedAt: 0, status: STATUS },
      files: [
        { ...BROKEN, state: 'broken' },
        {
          file: 'inventory.csv.conflict',
          state: 'kept_aside',
          line: null,
          message: 'it is not based on any version that orderctl has written',
        },
      ],
      problem: null,
    });
  });

  it('of an earlier version, which names none, nothing is missing', async () => {
    await folder.own({ ...how, status: () => ({ state: 'consuming' }) as ConsumerStatus });
    expect(await showStatus(folder)).toMatchObject({ consumer: { pid: 1 }, files: [] });
  });

  it('that this user may not ask, it is unknown, and the rest is shown', async () => {
    folder.hidden = new Failure('read_failed', 'permission denied');
    folder.aside.push({ file: 'users.csv.conflict', why: 'half_saved' });
    expect(await showStatus(folder)).toMatchObject({
      consumer: 'unknown',
      files: [{ file: 'users.csv.conflict' }],
      problem: { message: 'permission denied' },
    });
  });

  it('that does not answer, that is said', async () => {
    folder.hidden = new Failure('owner_unreachable', 'paused');
    expect(await showStatus(folder)).toMatchObject({ consumer: 'silent', problem: { message: 'paused' } });
  });
});

describe('of a folder without a consumer', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-status-'));
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const save = (name: string, text: string): void => {
    fs.writeFileSync(path.join(folder, name), text);
    // A file is read when nobody writes it any more.
    fs.utimesSync(path.join(folder, name), new Date(), new Date(Date.now() - 2_000));
  };
  const filesOf = async (): Promise<unknown> => {
    const { consumer, files, problem } = await showStatus(openFolder({ folder, clock: systemClock }));
    expect({ consumer, problem }).toEqual({ consumer: 'none', problem: null });
    return files.map(({ file, state, line }) => [path.relative(folder, file), state, line]);
  };

  it('a broken file is named with its line, before the folder was ever in use and after', async () => {
    save('inventory.csv', 'item,quantity\npen,many\n');
    expect(await filesOf()).toEqual([['inventory.csv', 'broken', 2]]);
    save('inventory.csv', 'item,quantity\npen,7\n');
    expect(await filesOf()).toEqual([]);
    const access = openFolder({ folder, clock: systemClock });
    const request = { kind: 'user.add', user: 'alice', status: 'paid' } as const;
    await access.edit(request, { via: 'command', onNotice: () => undefined });
    expect(await filesOf()).toEqual([]);
    save('inventory.csv', 'item,quantity\npen,7\nbook,some\n');
    expect(await filesOf()).toEqual([['inventory.csv', 'broken', 3]]);
  });

  it('a file that will be kept aside is named, and one that was', async () => {
    save('inventory.csv', `item,quantity\n${'abcdefgh'.replaceAll(/./g, (name) => `${name},1\n`)}`);
    const access = openFolder({ folder, clock: systemClock });
    const request = { kind: 'item.update', item: 'a', quantity: 9 } as const;
    const onNotice = (): void => undefined;
    await access.edit(request, { via: 'command', onNotice });
    save('inventory.csv', 'item,quantity\na,9\nb,1\n');
    expect(await filesOf()).toEqual([['inventory.csv', 'not_taken_in', null]]);
    await access.edit(request, { via: 'command', onNotice });
    expect(await filesOf()).toEqual([['inventory.csv.rows_missing.conflict', 'kept_aside', null]]);
  });

  it('one that is no storage folder has none', async () => {
    expect(await filesOf()).toEqual([]);
  });
});
