import type { Mutation } from './list.ts';

/** What people read, and what it says to write instead. */
export const TERMINAL: readonly Mutation[] = [
  {
    name: 'data for people breaks within words at the edge of the terminal',
    file: 'src/cli/output/printer.ts',
    from: 'await this.data(wrappedLines(text, this.dataColumns));',
    to: 'await this.data(text);',
    tests: ['test/unit/cli/terminal.test.ts'],
  },
  {
    name: 'the reason of an edit is cut on a narrow terminal',
    file: 'src/cli/tables/edit-log.ts',
    from: '{ ...column, wraps: true }',
    to: '{ ...column, wraps: false }',
    tests: ['test/unit/cli/terminal.test.ts'],
  },
  {
    name: 'orders are never listed again after a flood of them',
    file: 'src/cli/output/send/throttle.ts',
    from: 'this.#isFlood = this.#listed + before > LINES_A_SECOND;',
    to: 'this.#isFlood = before > 0;',
    tests: ['test/unit/cli/sent-throttle.test.ts'],
  },
  {
    name: 'the thousands of a price are taken for its whole',
    file: 'src/domain/tables.ts',
    from: "const digits = whole.replace(/\\D/g, '');",
    to: "const digits = whole.replace(/\\D.*/, '');",
    tests: ['test/unit/domain/tables.test.ts'],
  },
  {
    name: 'a dry run of an undo shows the edit as it was made',
    file: 'src/app/tables/undo.ts',
    from: 'editsBetween(table, current, undone(current, rows))',
    to: 'editsBetween(table, undone(current, rows), current)',
    tests: ['test/unit/files/edit-origin.test.ts'],
  },
];
