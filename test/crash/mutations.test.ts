import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { mutated, ROOT } from '../mutations/apply.ts';
import { MUTATIONS } from '../mutations/list.ts';

// That each is caught takes minutes: npm run mutations. That each applies is seen here, when the source moves on.
test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('applies: %s', (_, mutation) => {
  expect(mutated(mutation)).toContain(mutation.to);
});

const named = MUTATIONS.filter(({ tests }) => tests.some((file) => file.startsWith('test/e2e/')));

test.each(named.map((mutation) => [mutation.name, mutation] as const))(
  'names the test in test/e2e that fails: %s',
  (_, { tests, test: name = '' }) => {
    expect(name).not.toBe('');
    const texts = tests.map((file) => fs.readFileSync(path.join(ROOT, file), 'utf8'));
    expect(texts.some((text) => text.includes(name))).toBe(true);
  },
);
