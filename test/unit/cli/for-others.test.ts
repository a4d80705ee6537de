import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import type { FlagValues } from '../../../src/cli/settings/resolve.ts';
import { resolveSettings } from '../../../src/cli/settings/resolve.ts';
import { exportsFor } from '../../../src/cli/up/for-others.ts';

const cwd = tmpdir();

/** @param own what `up` has chosen itself */
function lineFor(
  flags: FlagValues,
  env: Readonly<Record<string, string>> = {},
  own: Partial<Record<'brokers' | 'registry' | 'storage', string>> = {},
): string | null {
  const resolved = resolveSettings({ flags, env, cwd });
  return exportsFor({ resolved, env }, { ...resolved.settings, ...own });
}

it('other commands find what up was given as flags, or has chosen', () => {
  expect(lineFor({})).toBe(null);
  expect(
    lineFor({ store: 's2' }, {}, { brokers: '127.0.0.1:29092', registry: 'http://127.0.0.1:28081' }),
  ).toBe(
    'export ORDERCTL_BROKERS=127.0.0.1:29092 ORDERCTL_REGISTRY=http://127.0.0.1:28081 ' +
      `ORDERCTL_STORE=${join(cwd, 's2')}`,
  );
  expect(lineFor({ storage: 'my shop', topic: 'o2' })).toBe(
    `export ORDERCTL_TOPIC=o2 ORDERCTL_STORE='${join(cwd, 'my shop')}'`,
  );
});

it('the PostgreSQL of --split is named in place of its folder', () => {
  const storage = 'postgres://orderctl@127.0.0.1:25432/orderctl';
  expect(lineFor({ store: 'split' }, {}, { storage })).toBe(`export ORDERCTL_STORE=${storage}`);
  expect(lineFor({}, { ORDERCTL_STORAGE: 'split' }, { storage })).toBe(
    `unset ORDERCTL_STORAGE; export ORDERCTL_STORE=${storage}`,
  );
});

it('no password is printed', () => {
  const env = { ORDERCTL_STORE: 'postgres://shop:secret@db/shop', ORDERCTL_SASL_PASSWORD: 'secret' };
  expect(lineFor({ group: 'g2' }, env)).toBe('export ORDERCTL_GROUP=g2');
});
