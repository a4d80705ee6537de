import type { Mutation } from './list.ts';

/** What was, read from the logs alone. */
export const HISTORY: readonly Mutation[] = [
  {
    name: 'history has the lines of each log after those of another, not in order of their commits',
    file: 'src/adapters/files/logs/history.ts',
    from: 'if (one.seq !== other.seq) return (one.seq ?? 0) < (other.seq ?? 0);',
    to: 'if (one.seq !== other.seq) return false;',
    tests: ['test/unit/files/history.test.ts', 'test/unit/files/follow.test.ts'],
  },
  {
    name: 'history has the acceptances of a commit before its rejections',
    file: 'src/adapters/files/logs/history.ts',
    from: 'record.partition === others.partition && record.offset < others.offset',
    to: 'record === others',
    tests: ['test/contract/file-store.test.ts'],
  },
  {
    name: 'the stock of the past leaves movements out',
    file: 'src/app/history/past-tables.ts',
    from: 'this.#add(line.movement.item, line.movement.delta);',
    to: '',
    tests: ['test/unit/files/history.test.ts'],
  },
  {
    name: 'a moment ends in the middle of history where the clock was set back, or after it',
    file: 'src/app/history/moment.ts',
    from: 'if (begins && isLater(line, moment)) {',
    to: 'if (begins && isLater(line, moment) && line.seq === -1) {',
    tests: ['test/app/past.test.ts'],
  },
  {
    name: 'order list --at lists what was decided later',
    file: 'src/app/orders/list.ts',
    from: 'await (options.at == null ? listPast(reader, options) : listUpTo(reader, options.at, options))',
    to: 'await listPast(reader, options)',
    tests: ['test/cli/past.test.ts'],
  },
];
