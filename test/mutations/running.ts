import type { Mutation } from './list.ts';

const SERVICES = ['test/app/run-services.test.ts'];
const EFFECTS = ['test/app/run-effects.test.ts'];
const TWO = ['test/app/effects-of-two.test.ts'];
const PAYMENT = 'src/app/run/performers/payment.ts';

/** Runs of several processors: what they send to each other and perform outside. */
export const RUNNING: readonly Mutation[] = [
  {
    name: 'an answer counts though another try was begun since',
    file: 'src/app/run/effects.ts',
    from: "now?.state === 'trying' && now.attempts === attempts",
    to: "now?.state === 'trying' && attempts > 0",
    tests: EFFECTS,
  },
  {
    name: 'a charge is asked for after its lease, by an instance that has slept',
    file: PAYMENT,
    from: 'clock.now() >= effect.dueAt',
    to: 'clock.now() < 0',
    tests: TWO,
  },
  {
    name: 'a charge that may have been made is made again without a look-up',
    file: PAYMENT,
    from: 'only_look_up || wasLost || mayBeForgotten',
    to: 'only_look_up',
    tests: TWO,
  },
  {
    name: 'a charge that did not arrive takes away the doubt of the one before it',
    file: PAYMENT,
    from: 'isUnknown: answer.isUnknown || wasLost',
    to: 'isUnknown: answer.isUnknown',
    tests: TWO,
  },
  {
    name: 'a look-up that did not arrive takes away the doubt of the charge before it',
    file: PAYMENT,
    from: "return { kind: 'failed', message: found.message, isUnknown: wasLost };",
    to: "return { kind: 'failed', message: found.message, isUnknown: false };",
    tests: TWO,
  },
  {
    name: 'what two channels refuse of one alert is sent under one id',
    file: 'src/domain/messages/outgoing.ts',
    from: '/${cause.asked}/${why.attempts}',
    to: '/${why.attempts}',
    tests: ['test/unit/processors/delivery.test.ts'],
  },
  {
    name: 'a refund is not tried again by the message that asked for its charge',
    file: 'src/processors/payment/processor.ts',
    from: "([kind, 'refund'] as const)",
    to: '[kind]',
    tests: ['test/unit/processors/checkout.test.ts'],
  },
  {
    name: 'a try goes on beside the one that takes it over',
    file: 'src/app/run/effects.ts',
    from: 'const LONGEST_TRY_MS = 50_000;',
    to: 'const LONGEST_TRY_MS = 70_000;',
    tests: EFFECTS,
  },
  {
    name: 'effects are performed without a limit',
    file: 'src/app/run/effects.ts',
    from: 'const limit = MOST_IN_FLIGHT - this.#inFlight.size;',
    to: 'const limit = MOST_IN_FLIGHT;',
    tests: EFFECTS,
  },
  {
    name: 'a call that never ends holds up a stop',
    file: 'src/app/run/effects.ts',
    from: 'await Promise.race([answered, clock.sleep(LONGEST_STOP_MS, over.signal)]);',
    to: 'await Promise.race([answered, clock.sleep(2 * LONGEST_STOP_MS, over.signal)]);',
    tests: EFFECTS,
  },
  {
    name: 'a run to the end does not wait for effects',
    file: 'src/app/run/ending.ts',
    from: 'readings.every(({ atEnd }) => atEnd) && effects.isIdle;',
    to: 'readings.every(({ atEnd }) => atEnd) && effects !== undefined;',
    tests: EFFECTS,
  },
  {
    name: 'a run to the end leaves what its processors have sent to each other',
    file: 'src/app/run/ending.ts',
    from: 'if (this.#parts.between.size === 0) {',
    to: 'if (this.#parts.between.size >= 0) {',
    tests: SERVICES,
  },
  {
    name: 'every reader of a topic sends its dead letters',
    file: 'src/app/run/prepare.ts',
    from: 'dlqTopic: isFirst ? deadLetterTopicOf(source, names) : null,',
    to: 'dlqTopic: isFirst || true ? deadLetterTopicOf(source, names) : null,',
    tests: SERVICES,
  },
  {
    name: 'a destination waits for the others',
    file: 'src/app/run/outbox/outbox.ts',
    from: '      lane.send().catch(() => undefined);\n',
    to: '      lane.send().catch(() => undefined);\n      break;\n',
    tests: SERVICES,
  },
  {
    name: 'a registry that is away ends what sends',
    file: 'src/app/run/outbox/lane.ts',
    from: "waits.untilAvailable(['broker', 'registry'], drain)",
    to: "waits.untilAvailable(['broker'], drain)",
    tests: SERVICES,
  },
  {
    name: 'a message that no schema holds ends the run, again at each start',
    file: 'src/app/run/outbox/outgoing-records.ts',
    from: "if (!isFailure(error, 'invalid_value')) throw error;",
    to: 'if (isFailure(error)) throw error;',
    tests: SERVICES,
  },
  {
    name: 'a trace ends where a processor sends on',
    file: 'src/app/run/batches/batch.ts',
    from: "this.#emits ? textIn(record, 'traceparent') : null",
    to: 'null',
    tests: SERVICES,
  },
  {
    name: 'what edits cause waits for the next batch',
    file: 'src/app/run/work.ts',
    from: '    this.#parts.outbox.sendSoon();\n',
    to: '',
    tests: SERVICES,
  },
  {
    name: 'a run ends while a message from one of its processors to another is not sent',
    file: 'src/app/run/ending.ts',
    from: ' && !outbox.hasUnsentTo(destinations)',
    to: '',
    tests: ['test/app/run-ending.test.ts'],
  },
  {
    name: 'a run ends though a message was sent after the ends of the topics were asked for',
    file: 'src/app/run/ending.ts',
    from: ' && outbox.sendsTo(destinations) === sends',
    to: '',
    tests: ['test/app/run-ending.test.ts'],
  },
  {
    name: 'decisions wait for a destination that does not answer because much waits for it',
    file: 'src/app/run/outbox/outbox.ts',
    from: 'if (!isSilent(this.#lanes.get(destination), now)) count',
    to: 'count',
    tests: ['test/app/outbox.test.ts'],
  },
  {
    name: 'records of one topic are taken for those of another that the processor reads',
    file: 'src/app/run/reading.ts',
    from: 'this.#topics.get(batch.topic);',
    to: '[...this.#topics.values()][0];',
    tests: SERVICES,
  },
];
