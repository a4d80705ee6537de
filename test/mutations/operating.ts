import type { Mutation } from './list.ts';

const AUDIT = ['test/app/audit-services.test.ts'];
const DEAD_LETTERS = ['test/app/dlq-of-processors.test.ts'];
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
  {
    name: 'what is redriven to one group is handled by all that read the topic',
    file: 'src/processors/draft.ts',
    from: 'one.isForOthers === true ? passedOver(one) : ',
    to: '',
    tests: ['test/app/run-services.test.ts'],
  },
  {
    name: 'a dead letter that nobody could read is redriven to one of its readers only',
    file: 'src/app/dlq/scope.ts',
    from: '  if (errorStage !== EFFECT_STAGE && readers.length > 1) return null;\n',
    to: '',
    tests: DEAD_LETTERS,
  },
  {
    name: 'a charge that came to nothing is redriven to the group that was renamed since, which nobody is',
    file: 'src/app/dlq/scope.ts',
    from: '?.group ?? group;',
    to: '?.group.slice(99) ?? group;',
    tests: DEAD_LETTERS,
  },
  {
    name: 'a redriven dead letter of one topic is marked in another',
    file: 'src/app/dlq/redrive.ts',
    from: "{ kind: 'dead_letter.mark', topic: from,",
    to: "{ kind: 'dead_letter.mark', topic,",
    tests: DEAD_LETTERS,
  },
  {
    name: 'a corrected value is sent though it cannot be read either',
    file: 'src/app/dlq/redrive.ts',
    from: '    await this.#checkCorrected(group);\n',
    to: '',
    tests: DEAD_LETTERS,
  },
  {
    name: 'a corrected value is sent with the name of the schema of the one before',
    file: 'src/app/dlq/destinations.ts',
    from: 'headers: withoutSchema(deadLetter.headers)',
    to: 'headers: deadLetter.headers',
    tests: DEAD_LETTERS,
  },
  {
    name: 'the dead letters of a processor are mixed with what came to nothing in others',
    file: 'src/app/dlq/dead-letters.ts',
    from: 'isOf(one, scope) && isNew',
    to: 'isNew',
    tests: DEAD_LETTERS,
  },
  {
    name: 'audit overlooks that a completed order was given its money back',
    file: 'src/app/audit/checkout.ts',
    from: 'isCompleted || isOnItsWay ?',
    to: 'isOnItsWay ?',
    tests: AUDIT,
  },
  {
    name: 'audit takes money that is on its way back for a difference',
    file: 'src/app/audit/checkout.ts',
    from: 'isCompleted || isOnItsWay ?',
    to: 'isCompleted ?',
    tests: AUDIT,
  },
  {
    name: 'audit overlooks that a refund was forgotten',
    file: 'src/app/audit/effects.ts',
    from: 'if (isOwed && effect === undefined) report',
    to: 'if (isOwed && effect !== undefined) report',
    tests: AUDIT,
  },
  {
    name: 'audit overlooks stock that was taken and does not belong to a reservation',
    file: 'src/app/audit/checkout.ts',
    from: "this.#compareSum(orderId, item, 'taken for', wanted, taken.get(item) ?? 0);",
    to: '',
    tests: AUDIT,
  },
  {
    name: 'audit overlooks stock of a cancelled order that did not come back',
    file: 'src/app/audit/checkout.ts',
    from: 'const back = isCancelled ? wanted : 0;',
    to: 'const back = returned.get(item) ?? 0;',
    tests: AUDIT,
  },
  {
    name: 'audit overlooks an id that both flows claim',
    file: 'src/app/audit/services.ts',
    from: '  await oneFlow(inspection, books, report);\n',
    to: '',
    tests: AUDIT,
  },
  {
    name: 'audit overlooks an event that counts twice',
    file: 'src/app/audit/checkout.ts',
    from: 'if (eventId !== null) this.#takeEvent(eventId, where);',
    to: '',
    tests: AUDIT,
  },
  {
    name: 'topics apply leaves out what a processor writes',
    file: 'src/app/topics/wanted.ts',
    from: 'wanted.push({ topic, message, carries: null });',
    to: 'wanted.splice(0, 0);',
    tests: ['test/app/topics.test.ts'],
  },
];
