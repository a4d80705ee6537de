import { topicOf } from '../../domain/messages/topic-names.ts';
import type { Store } from '../../ports/store.ts';
import { Quota } from './batches/batch.ts';
import { EffectWorkers } from './effect-workers.ts';
import { Ending } from './ending.ts';
import type { RunOptions, RunPorts, RunSummary, Service, Totals } from './events.ts';
import type { FirstFailure } from './first-failure.ts';
import { Outbox, unsentOf } from './outbox/outbox.ts';
import { prepareRun } from './prepare.ts';
import { Reading } from './reading.ts';
import type { Waits } from './wait.ts';

export interface WorkContext {
  readonly store: Store;
  readonly options: RunOptions;
  /** Aborted to stop everything. */
  readonly stop: AbortController;
  /** Aborted when no more records are to be read. */
  readonly end: AbortController;
  readonly failed: FirstFailure;
  readonly waits: Waits;
}

interface Parts extends WorkContext {
  readonly ports: RunPorts;
  readonly quota: Quota;
  readonly outbox: Outbox;
  readonly effects: EffectWorkers;
}

/** Everything that runs once the store is owned: the processors, the outbox and the effect workers. */
export class Work {
  readonly #parts: Parts;
  #ending: Ending | undefined;
  #hasEnded = false;
  readonly readings: Reading[] = [];

  /** Prepares the topics and groups, without joining any group. @throws Failure as runServices */
  static async of(ports: RunPorts, services: readonly Service[], context: WorkContext): Promise<Work> {
    const { access, broker, clock, codecOf, tracer } = ports;
    const { store, options, stop, waits } = context;
    const performers = ports.performers?.(store) ?? {};
    const { processes } = access;
    const { on, names, group, create } = options;
    const readers = services.map(({ processor, group }) => ({ processor, group }));
    const prepared = await prepareRun({ store, broker, processes, clock }, readers, options);
    const outbox = new Outbox({ store, broker, clock, names, group, create, codecOf, waits, on, stop });
    const processors = services.map(({ processor }) => processor);
    const onSettled = (): void => work.#look();
    const effects = new EffectWorkers({ store, clock, processors, performers, tracer, on, onSettled });
    const quota = new Quota(options.maxMessages);
    const work: Work = new Work({ ...context, ports, outbox, effects, quota });
    for (const [at, service] of services.entries()) {
      work.readings.push(
        await Reading.of({
          store,
          service,
          codecOf,
          outbox,
          effects,
          waits,
          quota,
          on,
          clock,
          tracer,
          untilEnd: options.untilEnd,
          topics: prepared[at] ?? [],
          process: processes.self(),
          onProgress: () => work.#look(),
          end: context.end.signal,
        }),
      );
    }
    work.#ending = work.#makeEnding();
    return work;
  }

  private constructor(parts: Parts) {
    this.#parts = parts;
  }

  #makeEnding(): Ending {
    const { ports, store, outbox, effects, waits, end, failed, options } = this.#parts;
    const { readings } = this;
    const read = new Set(readings.flatMap(({ topics }) => topics));
    const sent = readings
      .flatMap(({ service }) => service.processor.emits)
      .filter((one) => read.has(topicOf(one, options.names)));
    const between = new Set(sent.map((one) => topicOf(one, options.names)));
    const destinations = [...new Set(sent.map(({ name }) => name))];
    return new Ending({
      readings,
      outbox,
      effects,
      waits,
      between,
      destinations,
      store,
      broker: ports.broker,
      onEnd: () => {
        this.#hasEnded = true;
        end.abort();
      },
      onFailure: (error) => failed.take(error),
    });
  }

  /** To be called after a commit that left messages to send or effects to perform. */
  wake(): void {
    this.#parts.outbox.sendSoon();
    this.#parts.effects.wake();
  }

  stoppedBy(): RunSummary['stoppedBy'] {
    if (this.#parts.quota.left <= 0) return 'max_messages';
    return this.#hasEnded ? 'end' : 'signal';
  }

  /** Runs to the end, or until stopped. @throws the first failure of any part */
  async run(): Promise<void> {
    const { outbox, effects, failed, options, end } = this.#parts;
    for (const { service, topics, remaining } of this.readings) {
      const { processor, group, tally } = service;
      const totals = (): Totals => tally.totals();
      options.on({ kind: 'started', processor: processor.name, group, topics, remaining, totals });
    }
    await outbox.begin();
    await Promise.all(
      [...effects.run(end.signal), ...this.readings.map((one) => this.#read(one))].map((one) =>
        failed.of(one),
      ),
    );
    failed.rethrow();
    await failed.of(outbox.drain());
    failed.rethrow();
  }

  async close(): Promise<void> {
    const { outbox, effects, store, options } = this.#parts;
    await outbox.close();
    const owed = await effects.owed();
    if (unsentOf(store) > 0 || owed > 0)
      options.on({ kind: 'unsent', waiting: store.unsent(), effects: owed });
  }

  async #read(reading: Reading): Promise<void> {
    const { ports, waits } = this.#parts;
    await using consumer = await ports.broker.consumer();
    await reading.run(consumer, waits.limitMs);
  }

  #look(): void {
    const { quota, options, end } = this.#parts;
    if (quota.left <= 0) end.abort();
    else if (options.untilEnd) this.#ending?.look();
  }
}
