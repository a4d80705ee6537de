import type { Mutation } from './list.ts';

const FOLLOW = ['test/unit/files/follow.test.ts'];
const files = (name: string): string => `src/adapters/files/${name}`;

/** What who follows a folder is promised. */
export const FOLLOWING: readonly Mutation[] = [
  {
    name: 'lines are followed while those of one record are still being written',
    file: files('logs/follow.ts'),
    from: '      if (sizeBytes < end) return false;\n',
    to: '',
    tests: FOLLOW,
  },
  {
    name: 'what was followed comes again after a checkpoint',
    file: files('logs/follow.ts'),
    from: '    for (const [log, end] of ends) this.#positions.set(log, end);\n',
    to: '',
    tests: FOLLOW,
  },
  {
    name: 'who follows stays with a journal that has ended',
    file: files('journal/tail.ts'),
    from: 'if (next !== undefined) return this.#goOn(reading.number + 1, next, end);',
    to: 'if (next !== undefined) this.#files.close(next);',
    tests: FOLLOW,
  },
  {
    name: 'who follows never looks for the checkpoint once the journal is gone',
    file: files('journal/tail.ts'),
    from: 'found.sizeBytes < reading.readBytes) return this.#resume();',
    to: 'found.sizeBytes < reading.readBytes) return false;',
    tests: FOLLOW,
  },
  {
    name: 'an earlier copy in the place of a folder is followed as if it were that',
    file: files('journal/tail.ts'),
    from: 'journal.seq < end.seq || seq < this.#seq) return false;',
    to: 'journal.seq < 0) return false;',
    tests: FOLLOW,
  },
  {
    name: 'another folder is followed as if it were the one before',
    file: files('journal/tail.ts'),
    from: 'if (folderId !== this.#folderId || ',
    to: 'if (',
    tests: FOLLOW,
  },
];
