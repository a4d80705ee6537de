import { readFileSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/*
 * The build: src/ becomes a few files in a folder of dist/ (build.mjs). Node takes half a millisecond to find and load a
 * module, so sixty of them would cost a simple command more than its work. What only some commands need stays in files of
 * its own, loaded by their `await import`; a test checks which. Not minified, so that stack traces can be read.
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
    ],
  },
  {
    name: 'order-list',
    priority: 2,
    files: [
      'src/app/orders/list.ts',
      'src/app/orders/list-sources.ts',
      'src/app/orders/listed-order.ts',
      'src/app/orders/filter.ts',
      'src/app/orders/decision-order.ts',
      'src/cli/output/orders/list.ts',
    ],
  },
  // An order of the checkout, as `order show` and the API read it.
  {
    name: 'checkout-order',
    priority: 3,
    files: [
      'src/app/orders/checkout.ts',
      'src/documents/write/checkout.ts',
      'src/documents/write/order.ts',
      'src/domain/checkout/status.ts',
    ],
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
  plugins: [
    {
      // It is for subcommands that are programs of their own, and would cost every command two milliseconds.
      name: 'commander-without-child-process',
      transform: {
        filter: { id: /commander\/lib\/command\.js$/ },
        handler: (code) => code.replace("require('node:child_process')", '{}'),
      },
    },
  ],
  output: {
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: GROUPS },
  },
});
