import type { Mutation } from './list.ts';

const OUTBOX = ['test/unit/files/outbox.test.ts'];
const LINES = ['test/unit/files/outgoing-line.test.ts'];
const SIMULATION = ['test/crash/simulation.test.ts'];
const UPGRADE = ['test/unit/files/upgrade.test.ts'];
const files = (name: string): string => `src/adapters/files/${name}`;

/** What waits to be sent, on the disk. */
export const OUTBOX_ON_DISK: readonly Mutation[] = [
  {
    name: 'each checkpoint reads the end of every segment that waits',
    file: files('logs/append-log.ts'),
    from: 'if (this.#described?.sizeBytes === cut.sizeBytes) return this.#described;',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'what waits is taken from the disk before it is sent',
    file: files('outbox/queues.ts'),
    from: 'const needed = queued === sent ? Infinity : next.segment;',
    to: 'const needed = queued === sent || queued > 0 ? Infinity : next.segment;',
    tests: OUTBOX,
  },
  {
    name: 'what is sent stays on the disk',
    file: files('ledger.ts'),
    from: '    this.outbox.dropSent();\n',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'segments that a checkpoint does not know yet are removed after it',
    file: files('ledger-files.ts'),
    from: 'const isSent = segmentNumber(name) <= lastSegment && ',
    to: 'const isSent = segmentNumber(name) > 0 && ',
    tests: OUTBOX,
  },
  {
    name: 'a segment that the journal has lost is not noticed at the start',
    file: files('journal/recover.ts'),
    from: '    if (sizeBytes > 0) throw beyondJournal(name, sizeBytes, 0);\n',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'the numbers of segments are used again',
    file: files('outbox/queues.ts'),
    from: '        this.#lastSegment = Math.max(this.#lastSegment, line[3]);\n',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'what is committed goes ahead of what is on the disk alone',
    file: files('outbox/windows.ts'),
    from: '    if (window.count < this.#waiting(destination)) return;\n',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'all that waits is in memory',
    file: files('outbox/windows.ts'),
    from: '      if (window.isFull) return;\n',
    to: '',
    tests: OUTBOX,
  },
  {
    name: 'what waits for a destination is in one file for ever',
    file: files('outbox/owned-outbox.ts'),
    from: 'segment === undefined || this.#logs.sizeOf(segmentLog(segment)) >= this.#segmentBytes',
    to: 'segment === undefined',
    tests: OUTBOX,
  },
  {
    name: 'messages that are missing from the disk are passed over',
    file: files('outbox/windows.ts'),
    from: 'if (window.count < wanted) throw tooShort(',
    to: 'if (window.count > wanted) throw tooShort(',
    tests: OUTBOX,
  },
  {
    name: 'an upgrade that was cut short is in the way of the next one',
    file: files('journal/upgrade.ts'),
    from: 'else for (const name of segments) files.unlink(path.join(inner, name));',
    to: '',
    tests: UPGRADE,
  },
  {
    name: 'what an upgrade replaced is kept without the segments that it names',
    file: files('journal/upgrade.ts'),
    from: 'state.format >= FIRST_WITH_SEGMENTS',
    to: 'state.format > FIRST_WITH_SEGMENTS',
    tests: UPGRADE,
  },
  {
    name: 'any number of messages stands in one line of what waits',
    file: files('outbox/outgoing-columns.ts'),
    from: 'found.length < MOST_MESSAGES',
    to: 'found.length < Infinity',
    tests: LINES,
  },
  {
    name: 'any amount of text stands in one line of what waits',
    file: files('outbox/outgoing-columns.ts'),
    from: 'units + more > MOST_UNITS',
    to: 'units + more > Infinity',
    tests: LINES,
  },
  {
    name: 'a dead letter that waits becomes a message like those beside it',
    file: files('outbox/outgoing-columns.ts'),
    from: ' || one.deadLetter !== undefined',
    to: '',
    tests: LINES,
  },
  {
    name: 'a field that looks like the id of its message is written as the id',
    file: files('outbox/outgoing-columns.ts'),
    from: 'return values.every((value, at) => value === others[at]);',
    to: 'return values.some((value, at) => value === others[at]);',
    tests: LINES,
  },
  {
    name: 'an upgrade forgets what waits to be sent',
    file: files('ledger.ts'),
    from: '      ledger.#staging.takeFormer(ledger.#seq);\n',
    to: '',
    tests: UPGRADE,
  },
  {
    name: 'a message that is sent again says another time',
    file: 'src/app/run/outbox/outgoing-records.ts',
    from: '{ id, store: parts.storeId, at, traceparent }',
    to: '{ id, store: parts.storeId, at: performance.now(), traceparent }',
    tests: SIMULATION,
  },
  {
    name: 'what waits is sent in another order',
    file: 'src/app/run/outbox/lane.ts',
    from: 'store.drain(this.#destination, (unsent) => this.#sendUnsettled(unsent));',
    to: 'store.drain(this.#destination, (unsent) => this.#sendUnsettled(unsent.toReversed()));',
    tests: SIMULATION,
  },
  {
    name: 'sending goes on long after a stop, or each destination listens for it',
    file: 'src/app/run/outbox/outbox.ts',
    from: "signal.addEventListener('abort', onStop, { once: true });",
    to: '',
    tests: ['test/app/outbox.test.ts'],
  },
];
