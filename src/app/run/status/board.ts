import type { ProcessorName } from '../../../domain/messages/message.ts';
import { topicOf, type TopicNames } from '../../../domain/messages/topic-names.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import type { Awaited, BrokenFile, ConsumerStatus, ProcessorStatus } from '../../../ports/owner.ts';
import type { RunEvent, Service } from '../events.ts';
import { Rate } from './rate.ts';

/** Reports how far a processor has read. */
export interface Lagging {
  readonly service: Service;
  /** Records before the end. */
  readonly lag: number;
  /** The partitions that the processor reads. */
  readonly partitions: ProcessorStatus['partitions'];
}

interface Entry {
  readonly service: Service;
  readonly rate: Rate;
  lastCommitAt: number | null;
}

/** The status of a run, derived from events that it reports anyway: costs nothing while no one requests it. */
export class StatusBoard {
  readonly #options: { readonly names: TopicNames; readonly signal: AbortSignal };
  readonly #clock: Clock;
  readonly #entries = new Map<ProcessorName, Entry>();
  readonly #waiting = new Set<Awaited>();
  readonly #silent = new Set<ProcessorName>();
  readonly #brokenFiles = new Map<string, BrokenFile>();
  #readings: readonly Lagging[] = [];
  #isReading = false;

  /** @param options `signal` aborts when the run is to stop */
  constructor(
    services: readonly Service[],
    options: { readonly names: TopicNames; readonly signal: AbortSignal },
    clock: Clock,
  ) {
    this.#options = options;
    this.#clock = clock;
    for (const service of services) {
      const entry = { service, rate: new Rate(clock.elapsed()), lastCommitAt: null };
      this.#entries.set(service.processor.name, entry);
    }
  }

  /** Sets the source of the lag, once it exists. */
  attach(readings: readonly Lagging[]): void {
    this.#readings = readings;
  }

  take(event: RunEvent): void {
    if (event.kind === 'started') this.#isReading = true;
    else if (event.kind === 'waiting') this.#waiting.add(event.for);
    else if (event.kind === 'resumed') this.#waiting.delete(event.for);
    else if (event.kind === 'silent') this.#silent.add(event.processor);
    else if (event.kind === 'answered') this.#silent.delete(event.processor);
    else if (event.kind === 'notice') this.#takeNotice(event.notice);
    else if (event.kind === 'committed') {
      const entry = this.#entries.get(event.processor);
      if (entry === undefined) return;
      entry.lastCommitAt = this.#clock.now();
      entry.rate.add(event.records, this.#clock.elapsed());
    }
  }

  status(): ConsumerStatus {
    const [first = null] = this.#waiting;
    // A broker that does not answer delays everything else.
    const waitingFor = this.#silent.size > 0 ? 'broker' : first;
    const entries = [...this.#entries.values()];
    const processors = entries.map((entry) => this.#processor(entry, waitingFor === 'broker'));
    // The totals are those of the processor `orders`, if it runs here.
    const [main] = processors.toSorted((a, b) => Number(b.name === 'orders') - Number(a.name === 'orders'));
    const { accepted = 0, rejected = 0, duplicates = 0, conflicts = 0 } = main?.outcomes ?? {};
    const { read = 0, deadLettered = 0 } = main ?? {};
    return {
      state: this.#state(waitingFor !== null),
      waitingFor,
      topic: main?.topics[0] ?? '',
      group: main?.group ?? '',
      ordersPerSecond: main?.recordsPerSecond ?? 0,
      lag: main?.lag ?? null,
      lastCommitAt: main?.lastCommitAt ?? null,
      counts: { read, accepted, rejected, duplicates, conflicts, deadLettered },
      processors,
      brokenFiles: [...this.#brokenFiles.values()],
    };
  }

  #processor({ service, rate, lastCommitAt }: Entry, isBrokerAway: boolean): ProcessorStatus {
    const { processor, group, tally } = service;
    const { read, deadLettered, outcomes } = tally.totals();
    const reading = this.#readings.find((one) => one.service === service);
    return {
      name: processor.name,
      group,
      read,
      deadLettered,
      outcomes,
      lastCommitAt,
      topics: processor.sources.map((source) => topicOf(source, this.#options.names)),
      partitions: reading?.partitions ?? [],
      recordsPerSecond: rate.at(this.#clock.elapsed()),
      // The lag would not include records sent since.
      lag: isBrokerAway ? null : (reading?.lag ?? null),
    };
  }

  #takeNotice(notice: StoreNotice): void {
    if (notice.kind === 'file_mended') this.#brokenFiles.delete(notice.file);
    if (notice.kind !== 'file_broken') return;
    const { file, line, message, fix } = notice;
    this.#brokenFiles.set(file, { file, line, message, fix });
  }

  #state(isWaiting: boolean): ConsumerStatus['state'] {
    if (this.#options.signal.aborted) return 'stopping';
    if (isWaiting) return 'waiting';
    return this.#isReading ? 'consuming' : 'starting';
  }
}
