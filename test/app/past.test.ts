import { describe, expect, it } from 'vitest';
import { readPast } from '../../src/app/history/past-tables.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

describe('the tables of a moment', () => {
  async function edited(): Promise<ModelFolder> {
    const clock = new FakeClock();
    const folder = new ModelFolder(clock);
    clock.time = 1_000;
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 3 });
    clock.time = 2_000;
    await folder.edit({ kind: 'item.update', item: 'pen', quantity: 8 });
    // The clock is set back, then goes on.
    clock.time = 500;
    await folder.edit({ kind: 'user.add', user: 'bob', status: 'paid' });
    clock.time = 3_000;
    await folder.edit({ kind: 'item.remove', item: 'pen' });
    return folder;
  }

  it.each([
    [1_000, 'pen 3', 1],
    [1_999, 'pen 3', 1],
    [2_000, 'pen 8 bob', 3],
    [9_000, 'bob', 4],
  ])('%i: whole commits, to the first that is later', async (ms, expected, seq) => {
    const past = await readPast(await (await edited()).read(), { kind: 'time', ms });
    const rows = [
      ...past.items.map((row) => `${row.item} ${row.quantity}`),
      ...past.users.map((row) => row.user),
    ];
    expect(rows.join(' ')).toBe(expected);
    expect(past).toMatchObject({ seq, unnumbered: 0 });
  });

  it('before the first and after the last commit are not known', async () => {
    const reader = await (await edited()).read();
    await expect(readPast(reader, { kind: 'time', ms: 999 })).rejects.toThrow(
      'history starts at 1970-01-01T00:00:01.000Z, after 1970-01-01T00:00:00.999Z',
    );
    await expect(readPast(reader, { kind: 'commit', seq: 5 })).rejects.toThrow(
      'the last commit with changes is 4',
    );
    expect((await readPast(reader, { kind: 'commit', seq: 4 })).items).toEqual([]);
    expect((await readPast(reader, { kind: 'commit', seq: 3 })).items).toMatchObject([{ quantity: 8 }]);
  });
});
