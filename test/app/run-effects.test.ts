import { beforeEach, expect, it } from 'vitest';
import type { RunEvent, RunOptions } from '../../src/app/run/events.ts';
import { runServices } from '../../src/app/run/run.ts';
import { KindTally } from '../../src/app/run/status/tally.ts';
import { newEffect, type Answer, type Effect, type EffectChange } from '../../src/domain/effects.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { SmallChange, SmallTable } from '../../src/domain/facts.ts';
import { setAside, type OutgoingMessage } from '../../src/domain/messages/outgoing.ts';
import { SUPPLIER_RESTOCK } from '../../src/domain/messages/stock/supplier-restock.ts';
import type { State } from '../../src/domain/state.ts';
import { HERE_AT_ONCE, type EffectPerformer, type EffectPerformers } from '../../src/ports/effects.ts';
import type { EffectHandler, Outcome, Processor, Received } from '../../src/processors/processor.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/* Effects are committed first and performed after; their answers are commits of their own. */

const PAID: SmallTable<string> = { name: 'paid' };
const RETRY_MS = 5_000;
/** Between tries of a charge; it is parked after the last one. */
let pausesMs: readonly number[];

/** Charges for each arrival. */
const CHARGER: Processor<{ readonly item: string }, Outcome> = {
  name: 'payment',
  sources: [SUPPLIER_RESTOCK],
  emits: [],
  keys: () => ({}),
  decide: (received, state) => ({
    changes: {
      effects: received.map(({ message: { item } }) =>
        newEffect({ id: `${item}/charge`, kind: 'charge', key: `key-${item}`, fields: { item } }, state.at),
      ),
    },
    results: received.map(() => ({ kind: 'charged' })),
  }),
  effects: {
    kinds: ['charge'],
    keys: () => ({}),
    settle(answered, state) {
      settled.push(answered.length);
      const effects: EffectChange[] = [];
      const small: SmallChange[] = [];
      const outgoing: OutgoingMessage[] = [];
      for (const { effect, answer } of answered) {
        const { id, attempts } = effect;
        if (answer.kind === 'done') {
          effects.push({ id, effect: null });
          small.push({ table: PAID, key: id, value: String(answer.fields.reference) });
        } else if (attempts <= pausesMs.length) {
          const dueAt = state.at + (pausesMs[attempts - 1] ?? 0);
          effects.push({ id, effect: { ...effect, state: 'due', dueAt } });
        } else {
          effects.push({ id, effect: { ...effect, state: 'parked' } });
          const why = {
            code: 'gateway_unavailable',
            message: '503',
            attempts,
            processor: 'payment',
          } as const;
          const record = { topic: SUPPLIER_RESTOCK.name, partition: 0, offset: 0 };
          const cause = { at: state.at, traceparent: null, asked: 'charge' } as const;
          outgoing.push(setAside(SUPPLIER_RESTOCK, effect.fields, { ...why, record }, cause));
        }
      }
      return { effects, small, outgoing };
    },
  },
};

const DONE: Answer = { kind: 'done', fields: { reference: 'R-1' } };
const FAULT: Answer = { kind: 'failed', message: '503', isUnknown: false };

let clock: VirtualClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
let events: RunEvent[];
/** What was asked of the outside. */
let asked: Effect[];
/** How many answers each commit had. */
let settled: number[];
beforeEach(() => {
  clock = new VirtualClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  broker.idles = true;
  broker.createTopic('supplier_restocks', 1);
  events = [];
  asked = [];
  settled = [];
  pausesMs = [RETRY_MS, RETRY_MS];
});

function arrive(item: string): void {
  broker.append('supplier_restocks', 0, { value: new TextEncoder().encode(JSON.stringify({ item })) });
}

function run(
  charge: EffectPerformer['perform'],
  options: Partial<RunOptions> = {},
  atOnce = 16,
): Promise<void> {
  const perform: EffectPerformer['perform'] = async (effect, signal) => {
    asked.push(effect);
    return charge(effect, signal);
  };
  return runServices(
    {
      access: folder,
      broker,
      codecOf: async () => new JsonCodec(),
      clock,
      performers: () => ({ charge: { atOnce, perform } }),
    },
    [{ processor: CHARGER, group: 'g.payment', tally: new KindTally() }],
    {
      purpose: 'run',
      group: 'g',
      names: new Map(),
      untilEnd: true,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: (event) => events.push(event),
      ...options,
    },
  );
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const outcomes = () => events.flatMap((event) => (event.kind === 'effect_settled' ? [event.outcome] : []));

it('are performed once their commit is durable, and a run to the end waits for the answer', async () => {
  arrive('A');
  await run(async (effect) => {
    // Committed as being tried before anybody is asked.
    expect(folder.owed.get(effect.id)).toMatchObject({ state: 'trying', attempts: 1 });
    return DONE;
  });
  expect(asked).toMatchObject([{ id: 'A/charge', key: 'key-A', attempts: 1 }]);
  expect([...folder.owed.keys()]).toEqual([]);
  expect(folder.small.get('paid')?.get('A/charge')).toBe('R-1');
  expect(events).toContainEqual({
    kind: 'effect_settled',
    processor: 'payment',
    id: 'A/charge',
    outcome: 'done',
  });
  expect(events.at(-1)).toMatchObject({ kind: 'ended', run: { stoppedBy: 'end' } });
});

it('are tried again when they are due, with the same key, and not before', async () => {
  arrive('A');
  const answers = [FAULT, FAULT, DONE];
  const at: number[] = [];
  await run(async () => {
    at.push(clock.now());
    return answers.shift() ?? DONE;
  });
  expect(asked.map(({ key, attempts }) => `${key} ${attempts}`)).toEqual(['key-A 1', 'key-A 2', 'key-A 3']);
  expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(RETRY_MS);
  expect(outcomes()).toEqual(['failed', 'failed', 'done']);
  expect([...folder.owed.keys()]).toEqual([]);
});

it('that are parked hold up no end', async () => {
  arrive('A');
  await run(async () => FAULT);
  expect(asked).toHaveLength(3);
  expect(folder.owed.get('A/charge')).toMatchObject({ state: 'parked', attempts: 3 });
  expect(events).toContainEqual(
    expect.objectContaining({
      kind: 'effect_parked',
      why: expect.objectContaining({ attempts: 3 }) as unknown,
    }),
  );
  expect(events.at(-1)).toMatchObject({ run: { stoppedBy: 'end' } });
  expect(events.filter(({ kind }) => kind === 'unsent')).toEqual([]);
});

const ABOUT_TRIES = new Set(['effects_failing', 'effects_resumed']);
const aboutTries = () => events.filter(({ kind }) => ABOUT_TRIES.has(kind));

it('that fail are reported at the first try, every 30 s until they succeed, and when one does', async () => {
  pausesMs = [1_000, 5_000, 30_000, 5 * 60_000];
  arrive('A');
  arrive('B');
  const from = clock.now();
  const stop = new AbortController();
  void clock.sleep(400_000).then(() => stop.abort());
  const at: number[] = [];
  await run(async ({ attempts }) => (attempts < 5 ? FAULT : DONE), {
    untilEnd: false,
    signal: stop.signal,
    on: (event) => {
      events.push(event);
      if (ABOUT_TRIES.has(event.kind)) at.push(Math.round((clock.now() - from) / 1_000));
      if (event.kind === 'effects_resumed') stop.abort();
    },
  });
  const charge = { processor: 'payment', effect: 'charge' } as const;
  const failing = { kind: 'effects_failing', ...charge, about: 'A', message: '503', waiting: 2 } as const;
  expect(aboutTries()[0]).toEqual({ ...failing, forMs: 0, nextInMs: 1_000 });
  expect(aboutTries()[2]).toEqual({ ...failing, forMs: 60_000, nextInMs: 276_000 });
  expect(aboutTries().at(-1)).toEqual({ kind: 'effects_resumed', ...charge });
  expect(at).toEqual([0, 30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 336]);
});

it('that are parked are not reported as failing any more, nor is one that is parked at once', async () => {
  for (const pauses of [[RETRY_MS, RETRY_MS], []]) {
    pausesMs = pauses;
    events = [];
    arrive(`parked after ${pauses.length} pauses`);
    const stop = new AbortController();
    void clock.sleep(200_000).then(() => stop.abort());
    await run(async () => FAULT, { untilEnd: false, signal: stop.signal });
    expect(events.filter(({ kind }) => kind === 'effect_parked')).toHaveLength(1);
    expect(aboutTries()).toHaveLength(pauses.length === 0 ? 0 : 1);
  }
});

it('some of which fail and some succeed are reported no more often', async () => {
  pausesMs = Array.from({ length: 100 }, () => 1_000);
  for (let i = 0; i < 60; i++) arrive(`I-${i}`);
  const from = clock.now();
  await run(
    async ({ attempts }) => {
      await clock.sleep(1_000);
      return attempts < 3 ? FAULT : DONE;
    },
    {},
    1,
  );
  const seconds = (clock.now() - from) / 1_000;
  const warnings = events.filter(({ kind }) => kind === 'effects_failing').length;
  expect(seconds).toBeGreaterThan(170);
  expect(warnings).toBeGreaterThan(1);
  expect(warnings).toBeLessThanOrEqual(seconds / 30 + 1);
});

it('a run to the end that leaves some to the next says why', async () => {
  pausesMs = [3_600_000];
  arrive('A');
  await run(async () => FAULT);
  const kinds = events.map(({ kind }) => kind);
  expect(kinds.slice(kinds.indexOf('effect_settled'))).toEqual([
    'effect_settled',
    'effects_failing',
    'unsent',
    'ended',
  ]);
});

it('that were being tried at a crash are taken over by the next run, which knows that they may have happened', async () => {
  folder.owed.set('A/charge', {
    id: 'A/charge',
    kind: 'charge',
    key: 'key-A',
    fields: {},
    state: 'trying',
    dueAt: clock.now() + 60_000,
    attempts: 1,
    firstTriedAt: clock.now(),
  });
  const from = clock.now();
  await run(async () => {
    expect(clock.now() - from).toBeLessThan(1_000);
    return DONE;
  });
  expect(asked).toMatchObject([{ attempts: 2, firstTriedAt: from }]);
  expect([...folder.owed.keys()]).toEqual([]);
});

it('count by the answer to the last try alone', async () => {
  arrive('A');
  await run(async (effect) => {
    if (effect.attempts > 1) return { kind: 'done', fields: { reference: 'R-2' } };
    // Another took it over while this one slept.
    folder.owed.set(effect.id, { ...effect, attempts: 2, dueAt: clock.now() + 10 });
    return DONE;
  });
  expect(asked.map(({ attempts }) => attempts)).toEqual([1, 3]);
  expect(folder.small.get('paid')?.get('A/charge')).toBe('R-2');
});

it('are performed side by side, sixteen at most', async () => {
  for (let i = 0; i < 40; i++) arrive(`I-${i}`);
  broker.batchRecords = 40;
  let inFlight = 0;
  let most = 0;
  await run(async () => {
    most = Math.max(most, (inFlight += 1));
    // Some answer earlier than others.
    for (let turns = asked.length % 5; turns >= 0; turns--) await turn();
    inFlight -= 1;
    return DONE;
  });
  expect(asked).toHaveLength(40);
  expect(most).toBe(16);
  expect([...folder.owed.keys()]).toEqual([]);
});

it('that are answered at the same time share a commit, and as many are tried at once as their performer allows', async () => {
  for (let i = 0; i < 40; i++) arrive(`I-${i}`);
  broker.batchRecords = 40;
  await run(async () => DONE, {}, 100);
  expect(settled).toEqual([40]);
  expect(outcomes()).toHaveLength(40);
  expect([...folder.owed.keys()]).toEqual([]);
});

it('that are performed here are not outrun by what is read: few of many are owed at one time', async () => {
  for (let i = 0; i < 5_000; i++) arrive(`I-${i}`);
  broker.batchRecords = 500;
  let most = 0;
  // One sleep for all that are tried at once.
  let pause: Promise<void> | undefined;
  const perform = async (): Promise<Answer> => {
    most = Math.max(most, folder.owed.size);
    pause ??= clock.sleep(2_000).then(() => (pause = undefined));
    await pause;
    return DONE;
  };
  await run(perform, {}, HERE_AT_ONCE);
  expect(asked).toHaveLength(5_000);
  expect(most).toBeLessThanOrEqual(2 * HERE_AT_ONCE + 500);
});

it('that somebody outside answers hold up no reading', async () => {
  for (let i = 0; i < 200; i++) arrive(`I-${i}`);
  broker.batchRecords = 10;
  let atFirstAnswer: number | undefined;
  await run(async () => {
    await clock.sleep(1_000);
    atFirstAnswer ??= folder.owed.size;
    return DONE;
  });
  expect(atFirstAnswer).toBe(200);
});

it('that are not due for months are looked at now and then', async () => {
  const dueAt = clock.now() + 200 * 24 * 3_600_000;
  folder.owed.set('A/charge', {
    id: 'A/charge',
    kind: 'charge',
    key: 'key-A',
    fields: {},
    state: 'due',
    dueAt,
    attempts: 0,
    firstTriedAt: null,
  });
  const stop = new AbortController();
  let longest = 0;
  const sleep = clock.sleep.bind(clock);
  clock.sleep = (ms, signal) => {
    longest = Math.max(longest, ms);
    return sleep(ms, signal);
  };
  const running = run(async () => DONE, { untilEnd: false, signal: stop.signal });
  while (clock.now() < dueAt - 190 * 24 * 3_600_000) await turn();
  stop.abort();
  await running;
  // The timers of Node hold 31 bits of milliseconds, and a longer one ends at once.
  expect(longest).toBeLessThan(2 ** 31);
});

it('that nobody answers are given up as unknown, and tried again', async () => {
  arrive('A');
  let aborted = 0;
  await run((effect, { signal }) => {
    if (effect.attempts === 2) return Promise.resolve(DONE);
    signal.addEventListener('abort', () => (aborted += 1));
    return new Promise(() => undefined);
  });
  expect(asked.map(({ attempts }) => attempts)).toEqual([1, 2]);
  expect(outcomes()).toEqual(['failed', 'done']);
  expect(aborted).toBe(1);
});

it('hold up a stop for seconds only, and are left to the next run', async () => {
  arrive('A');
  const stop = new AbortController();
  const running = run(() => new Promise(() => undefined), { untilEnd: false, signal: stop.signal });
  while (asked.length === 0) await turn();
  stop.abort();
  const from = clock.now();
  await running;
  expect(clock.now() - from).toBe(5_000);
  expect(folder.owed.get('A/charge')).toMatchObject({ state: 'trying', attempts: 1 });
  expect(events).toContainEqual({ kind: 'unsent', waiting: new Map(), effects: 1 });
});

it('end the run with the failure of a commit', async () => {
  arrive('A');
  const running = run(async () => {
    folder.failing = new Failure('write_failed', 'disk full');
    return DONE;
  });
  await expect(running).rejects.toMatchObject({ code: 'write_failed' });
  expect(events.at(-1)).toMatchObject({ run: { stoppedBy: 'error' } });
});

it('a gateway that does not answer holds up charges, and what other processors owe goes on', async () => {
  for (let item = 0; item < 20; item++) arrive(`A${item}`);
  const stop = new AbortController();
  const mailer = {
    ...CHARGER,
    name: 'delivery' as const,
    decide: (received: readonly Received<{ readonly item: string }>[], state: State) => ({
      changes: {
        effects: received.map(({ message: { item } }) =>
          newEffect({ id: `${item}/mail`, kind: 'mail', key: item, fields: { item } }, state.at),
        ),
      },
      results: received.map(() => ({ kind: 'mailed' })),
    }),
    effects: { ...CHARGER.effects, kinds: ['mail'] } as EffectHandler,
  };
  let mailed = 0;
  let charged = 0;
  await runServices(
    {
      access: folder,
      broker,
      codecOf: async () => new JsonCodec(),
      clock,
      performers: (): EffectPerformers => ({
        charge: {
          atOnce: 16,
          perform: (_, { signal }) => {
            charged += 1;
            return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(FAULTED)));
          },
        },
        mail: {
          atOnce: 16,
          perform: async () => {
            mailed += 1;
            if (mailed === 20) stop.abort();
            return DONE;
          },
        },
      }),
    },
    [CHARGER, mailer].map((processor) => ({
      processor,
      group: `g.${processor.name}`,
      tally: new KindTally(),
    })),
    {
      purpose: 'run',
      group: 'g',
      names: new Map(),
      untilEnd: false,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: stop.signal,
      on: (event) => events.push(event),
    },
  );
  expect(mailed).toBe(20);
  expect(charged).toBe(16);
});

const FAULTED = new Error('it was broken off');
