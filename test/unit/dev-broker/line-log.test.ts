import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

import { CorruptStateError, LineLog } from '../../../src/dev-broker/line-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();

function logOf(...values: object[]): { file: string; sizes: number[] } {
  const file = path.join(folder(), 'line.log');
  const log = new LineLog(file, () => undefined);
  const sizes = values.map((entry) => {
    log.append(entry);
    return fs.statSync(file).size;
  });
  log.close();
  return { file, sizes };
}

function read(file: string): unknown[] {
  const entries: unknown[] = [];
  new LineLog(file, (entry) => entries.push(entry)).close();
  return entries;
}

it('a write torn at any byte is cut off, and writing goes on', () => {
  const { file, sizes } = logOf({ n: 1 }, { n: 2, text: 'ü\n' });
  const [first = 0, second = 0] = sizes;
  const whole = fs.readFileSync(file);
  for (let size = first; size < second; size += 1) {
    fs.writeFileSync(file, whole.subarray(0, size));
    const entries: unknown[] = [];
    const log = new LineLog(file, (entry) => entries.push(entry));
    expect(entries).toEqual([{ n: 1 }]);
    log.append({ n: 3 });
    log.close();
    expect(read(file)).toEqual([{ n: 1 }, { n: 3 }]);
  }
});

it('a tail that was never written through, be it zeros with line ends, is cut off', () => {
  const { file } = logOf({ n: 1 });
  fs.appendFileSync(file, Buffer.from('\0\0\n\0\n00000000 {"n":2}\n\0'));
  expect(read(file)).toEqual([{ n: 1 }]);
  expect(fs.readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{8} \{"n":1\}\n$/);
});

it('a changed bit before the last entry is refused, and the file stays as it is', () => {
  const { file, sizes } = logOf({ n: 1 }, { n: 2 }, { n: 3 });
  const bytes = fs.readFileSync(file);
  const at = (sizes[0] ?? 0) + 12;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  expect(() => new LineLog(file, () => undefined)).toThrow(CorruptStateError);
  expect(() => new LineLog(file, () => undefined)).toThrow(`${file}:2 `);
  expect(fs.readFileSync(file)).toEqual(bytes);
});
