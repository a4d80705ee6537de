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
  {
    name: 'an edit is no difference in what-if, but sets what is on hand',
    file: 'src/app/what-if/again.ts',
    from: 'Math.max(Math.min(0, onHand), onHand + after - (before ?? 0))',
    to: 'after',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'an edit takes the stock of what-if below zero',
    file: 'src/app/what-if/again.ts',
    from: 'Math.max(Math.min(0, onHand), onHand + after - (before ?? 0))',
    to: 'onHand + after - (before ?? 0)',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'what-if counts tries of an order that would not have been rejected',
    file: 'src/app/what-if/again.ts',
    from: 'instead !== undefined && sameContent(instead, order)',
    to: 'instead !== undefined && instead === order',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'what-if takes for a try what only looks like one',
    file: 'src/app/what-if/again.ts',
    from: 'instead !== undefined && sameContent(instead, order)',
    to: 'instead !== undefined',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'what-if reserves what would not have been validated',
    file: 'src/app/what-if/checkout.ts',
    from: '!order.isRefused && ',
    to: '',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'what-if gives back on a cancellation what it never took',
    file: 'src/app/what-if/checkout.ts',
    from: 'if (order.wouldBe) this.#of.wouldBe.takeBack',
    to: 'this.#of.wouldBe.takeBack',
    tests: ['test/app/what-if.test.ts'],
  },
  {
    name: 'what-if takes the stock of the checkout as it was taken',
    file: 'src/app/what-if/again.ts',
    from: "line.movement.cause === 'reservation' || ",
    to: '',
    tests: ['test/app/what-if.test.ts'],
  },
];
