import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

interface Locked {
  readonly license?: string;
  readonly dev?: boolean;
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
}

const LOCK = path.resolve(import.meta.dirname, '../../package-lock.json');
const { packages } = JSON.parse(fs.readFileSync(LOCK, 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked>>;
};
const locked = Object.entries(packages).filter(([name]) => name !== '');

/** They ask for no more than their text beside a copy. */
const PERMISSIVE = [
  'MIT',
  'MIT-0',
  'ISC',
  '0BSD',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'Apache-2.0',
  'BlueOak-1.0.0',
];
/** Of tools, which are not passed on: changed files of theirs would have to be open. */
const TOOLS = [...PERMISSIVE, 'MPL-2.0'];

test('every package has a licence under which it may be used and passed on', () => {
  expect(locked.length).toBeGreaterThan(100);
  const refused = locked.filter(([, { license = '', dev = false }]) => {
    return !(dev ? TOOLS : PERMISSIVE).includes(license);
  });
  expect(refused.map(([name, { license }]) => `${name}: ${license ?? 'none'}`)).toEqual([]);
});

test('nothing that is installed with the program runs a script to install it', () => {
  const scripted = locked.filter(([, { hasInstallScript = false, dev = false }]) => hasInstallScript && !dev);
  expect(scripted.map(([name]) => name)).toEqual([]);
});
