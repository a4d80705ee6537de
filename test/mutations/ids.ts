import type { Mutation } from './list.ts';

const source = (name: string): string => `src/adapters/files/ids/${name}`;
const TESTS = ['test/unit/files/id-index.test.ts', 'test/unit/files/check-ids.test.ts'];

/** The index that finds decided ids. */
export const IDS: readonly Mutation[] = [
  {
    name: 'what a restored folder decides again is sent under ids that readers have seen',
    file: 'src/domain/messages/restored.ts',
    from: 'at === null ? state.storeId :',
    to: 'at !== null ? state.storeId :',
    tests: ['test/unit/processors/restored.test.ts'],
  },
  {
    name: 'revisions of a restored folder are lower than those that readers have seen',
    file: 'src/processors/stock-events.ts',
    from: 'Math.max(known?.revision ?? 0, this.#leastRevision)',
    to: 'known?.revision ?? 0',
    tests: ['test/unit/processors/restored.test.ts'],
  },
  {
    name: 'restore does not mark what it makes as restored',
    file: 'src/cli/commands/backup/restore.ts',
    from: '    await markRestored(store);\n',
    to: '',
    tests: ['test/cli/backup.test.ts'],
  },
  {
    name: 'a database that is restored while others read is not noticed',
    file: 'src/app/run/prepare.ts',
    from: 'const ahead = reset === null ? groupAhead',
    to: 'const ahead = reset === null && !isActive ? groupAhead',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'a folder that was copied back by hand sends under the ids of before',
    file: 'src/app/run/prepare.ts',
    from: '    await markRestored(store);\n',
    to: '',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'an id at the end of the block before is not found',
    file: source('run.ts'),
    from: 'let block = Math.max(0, low - 1);',
    to: 'let block = low;',
    tests: TESTS,
  },
  {
    name: 'ids of one hash that go on in the next block are not found',
    file: source('run.ts'),
    from: 'if (block >= low && !isEqual(fence, block * FENCE_WORDS, hash)) return;',
    to: 'if (block >= Math.max(1, low)) return;',
    tests: TESTS,
  },
  {
    name: 'the second of two ids with one hash is not found',
    file: source('run.ts'),
    from: 'at < words.length && isEqual(words, at, hash); at += ENTRY_WORDS',
    to: 'at < words.length && isEqual(words, at, hash); at += words.length',
    tests: TESTS,
  },
  {
    name: 'a block of the index is read without its checksum',
    file: source('run.ts'),
    from: 'if (crc32(bytesOf(words)) !== this.#fence[block * FENCE_WORDS + 2]) {',
    to: 'if (this.#fence[block * FENCE_WORDS + 2] === undefined) {',
    tests: TESTS,
  },
  {
    name: 'the filter of the index is read without its checksum',
    file: source('run.ts'),
    from: 'if (crc32(bytesOf(words)) !== this.#filterCrc)',
    to: 'if (this.#filterCrc === -1)',
    tests: TESTS,
  },
  {
    name: 'the place of an id beyond 4 GiB is lost',
    file: source('table.ts'),
    from: 'position: (high % LOG) * HIGH + low }',
    to: 'position: low }',
    tests: TESTS,
  },
  {
    name: 'an id is not found while its run is being written',
    file: source('index.ts'),
    from: '    this.#sealing?.find(hash, found);\n',
    to: '',
    tests: TESTS,
  },
  {
    name: 'a run that a crash left behind is written over',
    file: source('index.ts'),
    from: 'Number(RUN_NAME.exec(name)?.[1] ?? 0)',
    to: 'Number(RUN_NAME.exec(name)?.[2] ?? 0)',
    tests: TESTS,
  },
  {
    name: 'runs that the last checkpoint names are removed',
    file: source('index.ts'),
    from: 'new Set([...named, ...this.#runs',
    to: 'new Set([...this.#runs',
    tests: TESTS,
  },
  {
    name: 'a merge takes the largest runs each time',
    file: source('index.ts'),
    from: 'sort((a, b) => a.entries - b.entries)',
    to: 'sort((a, b) => b.entries - a.entries)',
    tests: TESTS,
  },
  {
    name: 'a fact is not seen by what asked for its key before',
    file: source('recent-facts.ts'),
    from: 'if (known !== undefined) this.#keep(kept, key, [...known, fact]);',
    to: 'if (known !== undefined) this.#keep(kept, key, known);',
    tests: ['test/unit/files/recent-facts.test.ts'],
  },
  {
    name: 'a key of which there are facts before has only what came since',
    file: source('recent-facts.ts'),
    from: 'if (known !== undefined) this.#keep(kept, key, [...known, fact]);',
    to: 'this.#keep(kept, key, [...(known ?? []), fact]);',
    tests: ['test/unit/files/recent-facts.test.ts'],
  },
];
