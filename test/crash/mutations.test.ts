import { expect, test } from 'vitest';
import { mutated } from '../mutations/apply.ts';
import { MUTATIONS } from '../mutations/list.ts';

// That each is caught takes minutes: npm run mutations. That each applies is seen here, when the source moves on.
test.each(MUTATIONS.map((mutation) => [mutation.name, mutation] as const))('applies: %s', (_, mutation) => {
  expect(mutated(mutation)).toContain(mutation.to);
});
