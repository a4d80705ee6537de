import path from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectory, syncNameOf } from '../../src/directories.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const makeFolder = temporaryFolder();

test('each directory that was made is named, the outermost first', () => {
  const folder = makeFolder();
  const made: string[] = [];
  const inner = path.join(folder, 'a', 'b');
  makeDirectory(inner, (name) => made.push(name));
  expect(made).toEqual([path.dirname(inner), inner]);
  makeDirectory(inner, (name) => made.push(name));
  expect(made).toHaveLength(2);
});

test('a name is synced where it is, and above as far as this user may', async () => {
  const synced: string[] = [];
  const sync = (refused: Readonly<Record<string, string>>) => async (name: string) => {
    synced.push(name);
    if (name in refused) throw Object.assign(new Error(name), { code: refused[name] });
  };
  await syncNameOf('/a/b/c', sync({}));
  expect(synced.splice(0)).toEqual(['/a/b', '/a', '/']);
  await syncNameOf('/a/b/c', sync({ '/a': 'EACCES' }));
  expect(synced.splice(0)).toEqual(['/a/b', '/a']);
  await expect(syncNameOf('/a/b/c', sync({ '/a/b': 'EACCES' }))).rejects.toThrow('/a/b');
  await expect(syncNameOf('/a/b/c', sync({ '/a': 'EIO' }))).rejects.toThrow('/a');
});
