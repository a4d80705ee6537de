import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/*
 * The build: src/ becomes a few files in a folder of dist/ (build.mjs). Node takes half a millisecond to find and load a module, so that
 * sixty of them cost a simple command more than its work. What a command alone needs stays apart, and is loaded by
 * its `await import` as before; a test holds which files that are. Not minified: stacks are to be read.
 */

/** Loaded together, if at all, with what they import. Anything else goes where it is needed. */
const GROUPS = [
  {
    name: 'core',
    priority: 3,
    files: [
      'src/cli/main.ts',
      'src/cli/tables/edit-command.ts',
      'src/cli/tables/import-command.ts',
      'src/cli/tables/log-command.ts',
      'src/cli/tables/undo-command.ts',
      'src/cli/parse.ts',
      'src/domain/orders/reasons.ts',
      'src/cli/store.ts',
      'src/cli/ask.ts',
      'src/cli/named.ts',
      'src/cli/output/print-table.ts',
      'src/cli/tables/past.ts',
      'src/cli/output/positions/skipped-by.ts',
      'src/domain/orders/reasons.ts',
    ],
  },
  {
    name: 'order-list',
    priority: 2,
    files: ['src/app/orders/list.ts', 'src/app/orders/filter.ts', 'src/app/orders/decision-order.ts'],
  },
  { name: 'files', priority: 2, files: ['src/adapters/files/folder.ts', 'src/adapters/files/reader.ts'] },
  {
    name: 'owner',
    priority: 1,
    files: [
      'src/adapters/files/owner/owner.ts',
      'src/adapters/files/owner/requests.ts',
      'src/adapters/files/store.ts',
    ],
  },
].map(({ name, priority, files }) => ({
  name,
  priority,
  /** @param {string} id */
  test: (id) =>
    files.some((file) => id.endsWith(`/${file}`)) || (name === 'core' && id.includes('@oxc-project')),
}));

/** Taken into the build: small, and many files or part of every command. Other packages are loaded as they are installed. */
const TAKEN_IN = ['commander', 'chalk', 'uuid', 'kafkajs'];
const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
const INSTALLED = Object.keys(dependencies).filter((name) => !TAKEN_IN.includes(name));

export default defineConfig({
  input: { main: 'src/cli/main.ts' },
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  external: (id) => INSTALLED.some((name) => id === name || id.startsWith(`${name}/`)),
  transform: { target: 'es2023' },
  output: {
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: GROUPS },
  },
});
