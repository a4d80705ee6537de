import type { Mutation } from './list.ts';

const FOLLOW = ['test/unit/files/follow.test.ts'];
const files = (name: string): string => `src/adapters/files/${name}`;

/** What who follows a folder is promised. */
export const FOLLOWING: readonly Mutation[] = [
  {
    name: 'a running balance adds up the whole log each time',
    file: 'src/app/overview/balance.ts',
    from: 'store.historyFrom(this.#place, [CHECKOUT])',
    to: 'store.historyFrom(((this.#books = new Books()), null), [CHECKOUT])',
    tests: ['test/app/balance.test.ts'],
  },
  {
    name: 'adding up the books rests for nobody',
    file: 'src/app/overview/give-way.ts',
    from: 'if (clock.elapsed() - from > IN_USE_MS) ',
    to: 'if (clock.elapsed() < from) ',
    tests: ['test/app/balance.test.ts'],
  },
  {
    name: 'the page never adds up again what it has read',
    file: 'src/app/overview/overview.ts',
    from: 'if (now >= this.#wholeAgainAt)',
    to: 'if (this.#running === null)',
    tests: ['test/app/balance.test.ts'],
  },
  {
    name: 'what is added while the page adds up all lines counts twice',
    file: 'src/app/overview/overview.ts',
    from: '    await this.#addOnce();\n',
    to: '    await this.#add();\n',
    tests: ['test/app/balance.test.ts'],
  },
  {
    name: 'the page says once alone that its lines cannot be added up',
    file: 'src/app/overview/overview.ts',
    from: '[this.#notAddedAll, this.#notAdded]',
    to: '[this.#notAdded]',
    tests: ['test/app/balance.test.ts'],
  },
  {
    name: 'the books of a kept view have hand edits that no commit has taken in',
    file: files('kept/followed-folder.ts'),
    from: '    if (this.#isEdited) return null;\n',
    to: '',
    tests: ['test/unit/files/kept.test.ts'],
  },
  {
    name: 'a page of orders goes on with the order after the next',
    file: 'src/app/orders/page.ts',
    from: 'latest?.next();\n    return order;',
    to: 'latest?.next();\n    latest?.next();\n    return order;',
    tests: ['test/app/orders-page.test.ts'],
  },
  {
    name: 'a page of orders goes on from the mark of another store',
    file: 'src/app/orders/page.ts',
    from: 'mark.store !== store',
    to: 'mark.store === null',
    tests: ['test/app/orders-page.test.ts'],
  },
  {
    name: 'a line of a log that was changed is a bug of orderctl',
    file: files('logs/log.ts'),
    from: 'throw isFailure(error) ? error : damagedLine(this.#name, this.#numberOf(line), error);',
    to: 'throw error;',
    tests: ['test/unit/files/reader.test.ts'],
  },
  {
    name: 'a page of orders reads all of them for one that it does not find',
    file: 'src/app/orders/page.ts',
    from: 'looked < LOOKED_AT;',
    to: 'looked < Infinity;',
    tests: ['test/app/orders-page.test.ts'],
  },
  {
    name: 'the balance of an earlier copy goes on from that of the store before it',
    file: 'src/adapters/files/logs/history.ts',
    from: 'if (start > (to.ends.get(log) ?? 0)) throw replaced(',
    to: 'if (start < 0) throw replaced(',
    tests: ['test/contract/file-store.test.ts'],
  },
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
