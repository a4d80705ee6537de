import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { CorruptStateError } from '../../../src/dev-broker/line-log.ts';
import { StateLog } from '../../../src/dev-broker/state-log.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

function reopened(file: string): [string, unknown][] {
  const log = new StateLog<unknown>(file);
  const values = [...log];
  log.close();
  return values;
}

describe('state log', () => {
  const folder = temporaryFolder();

  it('gives back after a restart what was set, and not what was deleted', () => {
    const file = path.join(folder(), 'state.log');
    const log = new StateLog<{ n: number }>(file);
    log.set('a', { n: 1 });
    log.write([['b', { n: 2 }], ['c', { n: 3 }], ['a']]);
    log.delete('c');
    log.delete('never there');
    expect([...log]).toEqual([['b', { n: 2 }]]);
    // Without being closed: what is written outlives a kill.
    expect(reopened(file)).toEqual([['b', { n: 2 }]]);
    log.close();
  });

  it('takes all changes of a set or none, wherever a crash tore it', () => {
    const file = path.join(folder(), 'state.log');
    const log = new StateLog<number>(file);
    log.set('a', 1);
    const before = fs.statSync(file).size;
    log.write([
      ['a', 2],
      ['ü', 3],
    ]);
    log.close();
    const whole = fs.readFileSync(file);
    for (let size = before; size < whole.length; size += 1) {
      fs.writeFileSync(file, whole.subarray(0, size));
      const torn = new StateLog<number>(file);
      expect([...torn], `torn at ${size}`).toEqual([['a', 1]]);
      torn.set('c', 4);
      torn.close();
      expect(reopened(file)).toEqual([
        ['a', 1],
        ['c', 4],
      ]);
    }
  });

  it('refuses a file that is damaged before its end, naming it, and leaves it alone', () => {
    const file = path.join(folder(), 'state.log');
    const log = new StateLog<number>(file);
    log.set('a', 1);
    log.set('b', 2);
    log.close();
    const bytes = fs.readFileSync(file);
    bytes[12] = (bytes[12] ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    expect(() => new StateLog(file)).toThrow(CorruptStateError);
    expect(() => new StateLog(file)).toThrow(file);
    expect(fs.readFileSync(file)).toEqual(bytes);
  });

  it('does not grow with the changes, only with the keys', () => {
    const file = path.join(folder(), 'state.log');
    const log = new StateLog<number>(file);
    log.set('still', -1);
    for (let count = 0; count < 20_000; count += 1) log.set('counter', count);
    expect(fs.statSync(file).size).toBeLessThan(200_000);
    log.set('after', 5);
    log.close();
    expect(new Map(reopened(file))).toEqual(
      new Map([
        ['still', -1],
        ['counter', 19_999],
        ['after', 5],
      ]),
    );
  });
});
