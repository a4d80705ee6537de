import { defineConfig } from 'vitest/config';
import { IS_FULL } from './test/support/effort.ts';
import { PARTS, SETTINGS } from './vitest.config.ts';
import { testsIn } from './test/support/tests-in.ts';

/**
 * `npm test`: the projects of vitest.config.ts as one, since each of them would load all of src again; without what
 * takes long, which `npm run test:long` runs.
 */
export default defineConfig({
  test: {
    ...SETTINGS,
    include: [...PARTS, 'test/embedded/broker.test.ts', ...testsIn('cli', 'e2e')],
    exclude: IS_FULL ? [] : ['test/*/walks/**'],
    globalSetup: [...(IS_FULL ? [] : ['test/support/memory-folder.ts']), 'test/support/services.ts'],
  },
});
