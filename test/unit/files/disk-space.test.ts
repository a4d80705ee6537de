import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { mediumOf, roomOf } from '../../../src/adapters/files/disk-space.ts';

function storage(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-room-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.mkdirSync(path.join(folder, '.orderctl'));
  fs.writeFileSync(path.join(folder, '.orderctl/journal.7'), '');
  return folder;
}

it('knows what goes with a container, with the machine, or belongs to another kernel', () => {
  const found = [0x794c7630, 0x01021994, 0x6969, 0x65735546, 0xef53].map((type) => mediumOf(type, 'linux'));
  expect(found).toEqual(['container', 'memory', 'remote', 'remote', 'disk']);
  expect(mediumOf(0x6969, 'darwin')).toBe('disk');
});

it('has room where a folder would be made', () => {
  const folder = path.join(storage(), 'not/yet');
  expect(roomOf(folder)).toMatchObject({ unwritable: null });
  expect(roomOf(folder).freeBytes).toBeGreaterThan(0);
});

it('names the file that this user may not write', () => {
  const folder = storage();
  const journal = path.join(folder, '.orderctl/journal.7');
  // Root may write everything.
  expect(roomOf(folder, (file) => file !== journal).unwritable).toBe(journal);
  expect(roomOf(folder, () => false).unwritable).toBe(folder);
});
