import type { Mutation } from './list.ts';

const OFFSETS = ['test/app/offsets-of-processors.test.ts'];

/** Promises of the commands that look after a shop: offsets, dlq, topics, audit. */
export const OPERATING: readonly Mutation[] = [
  {
    name: 'what another processor skipped counts as skipped by orders',
    file: 'src/app/offsets/skips.ts',
    from: '      skip.processor === processor &&\n',
    to: '',
    tests: OFFSETS,
  },
  {
    name: 'what one processor has read of a topic counts as read by all',
    file: 'src/app/offsets/skips.ts',
    from: 'return `${processor} ${topic}/${partition}`;',
    to: 'return `${processor.slice(99)} ${topic}/${partition}`;',
    tests: OFFSETS,
  },
  {
    name: 'undoing a reset undoes the one of another processor',
    file: 'src/app/offsets/reset.ts',
    from: 'edit.processor !== processor || ',
    to: '',
    tests: OFFSETS,
  },
  {
    name: 'resets of older folders are of no processor',
    file: 'src/adapters/files/logs/edit-line.ts',
    from: "  if (logged.kind === 'position') return { ...{ processor: 'orders' }, ...logged };\n",
    to: '',
    tests: ['test/unit/files/edit-origin.test.ts'],
  },
];
