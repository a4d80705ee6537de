import type { Mutation } from './list.ts';

const TESTS = ['test/unit/files/robbed-store.test.ts'];
const CHECKPOINT = 'src/adapters/files/journal/checkpoint.ts';
const CSV = 'src/adapters/files/csv/file.ts';

/** What an owner must not do that was paused, and whose folder another owns since. */
export const OWNING: readonly Mutation[] = [
  {
    name: 'an owner that wakes up removes what the next one is about to name state.json',
    file: CHECKPOINT,
    from: '  assertOurs();\n  await writeFresh(',
    to: '  await writeFresh(',
    tests: TESTS,
  },
  {
    name: 'an owner that wakes up names a checkpoint that the next one has gone beyond',
    file: CHECKPOINT,
    from: '  assertOurs();\n  files.rename(',
    to: '  files.rename(',
    tests: TESTS,
  },
  {
    name: 'an owner that wakes up removes what the checkpoint of the next one names',
    file: 'src/adapters/files/ledger-files.ts',
    from: '    assertOurs();\n    await files.discard(',
    to: '    await files.discard(',
    tests: TESTS,
  },
  {
    name: 'an owner that wakes up takes a log of the next one for damage',
    file: 'src/adapters/files/transactions/group.ts',
    from: '      ledger.assertSound();\n      throw error;',
    to: '      throw error;',
    tests: TESTS,
  },
  {
    name: 'an owner that wakes up keeps the table of the next one aside',
    file: CSV,
    from: '        ledger.assertSound();\n        if (this.#place.isKeptAside(this.#path)) await',
    to: '        if (this.#place.isKeptAside(this.#path)) await',
    tests: TESTS,
  },
  {
    name: 'an owner that wakes up removes the CSV that the next one is writing',
    file: CSV,
    from: '    ledger.assertSound();\n    const rendered',
    to: '    const rendered',
    tests: TESTS,
  },
  {
    name: 'an owner takes its own record, while it writes it, for that of another',
    file: 'src/adapters/files/journal/journal.ts',
    from: 'newBytes <= this.#underWayBytes',
    to: 'newBytes <= 0',
    tests: ['test/unit/files/ledger.test.ts', 'test/crash/simulation.test.ts'],
  },
];
