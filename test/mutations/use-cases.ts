import type { Mutation } from './list.ts';

/** Promises kept by the domain and by the use cases. */
export const USE_CASES: readonly Mutation[] = [
  {
    name: 'a batch of control records alone wipes the fingerprint of the position',
    file: 'src/app/process-batch.ts',
    from: 'last: position.last ?? positions.get(batch.partition)?.last ?? null,',
    to: 'last: position.last,',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'audit does not compare reorder levels',
    file: 'src/app/audit-stock.ts',
    from: ' && a.reorderLevel === b.reorderLevel',
    to: '',
    tests: ['test/unit/audit-stock.test.ts'],
  },
  {
    name: 'lag does not count what came in after the start',
    file: 'src/app/consume-orders.ts',
    from: 'Math.max(known.end, next, highWatermark)',
    to: 'Math.max(known.end, next)',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'adding an item that exists suggests a command that overwrites its stock',
    file: 'src/domain/edit.ts',
    from: '--by +${quantity}`',
    to: '--quantity ${quantity}`',
    tests: ['test/unit/domain/edit.test.ts'],
  },
];
