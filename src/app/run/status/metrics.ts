import type { ConsumerStatus } from '../../../ports/owner.ts';
import type { Meter } from '../../../ports/outside/meter.ts';
import type { Destination } from '../../../ports/store.ts';
import type { RunEvent } from '../events.ts';
import { METRICS } from '../../metrics/declared.ts';

const SERVICES = ['broker', 'registry', 'store', 'others'] as const;

/** The values that are read from a run whenever its metrics are collected. */
export interface MeasuredRun {
  readonly status: () => ConsumerStatus;
  /** Where its processors send; dead letters, and messages left by other runs, may go elsewhere. */
  readonly destinations: readonly Destination[];
  /** The number of unsent messages. */
  readonly unsent: () => ReadonlyMap<Destination, number>;
}

/**
 * The metrics of a run. Counts and lag are those of its status, which are kept anyway; everything else is counted from
 * events, once per batch.
 */
export class RunMetrics {
  readonly #meter: Meter;

  constructor(meter: Meter, { status, unsent, destinations }: MeasuredRun) {
    this.#meter = meter;
    meter.watch(METRICS.records, function* () {
      for (const { name: processor, outcomes, deadLettered } of status().processors) {
        for (const [outcome, count] of Object.entries(outcomes)) yield [{ processor, outcome }, count];
        yield [{ processor, outcome: 'dead_letter' }, deadLettered];
      }
    });
    meter.watch(METRICS.lag, function* () {
      const { processors, waitingFor } = status();
      // The lag would not include records sent since: no value is better than one that does not grow.
      if (waitingFor === 'broker') return;
      for (const { name: processor, partitions } of processors)
        for (const { topic, partition, lag } of partitions)
          yield [{ processor, topic, partition: String(partition) }, lag];
    });
    meter.watch(METRICS.waiting, function* () {
      const { waitingFor } = status();
      for (const service of SERVICES) yield [{ service }, service === waitingFor ? 1 : 0];
    });
    // A destination that no message waits for any more has the value 0 rather than none.
    const known = new Set(destinations);
    meter.watch(METRICS.outbox, function* () {
      const waiting = unsent();
      for (const destination of waiting.keys()) known.add(destination);
      for (const destination of known) yield [{ destination }, waiting.get(destination) ?? 0];
    });
    meter.add(METRICS.undelivered, {}, 0);
  }

  /** A write to the disk was synced in this time. */
  synced(seconds: number): void {
    this.#meter.observe(METRICS.syncSeconds, {}, seconds);
  }

  take(event: RunEvent): void {
    const meter = this.#meter;
    if (event.kind === 'started') {
      // Counters start at 0: otherwise the first event would not be an increase.
      const { processor } = event;
      for (const outcome of ['done', 'failed']) meter.add(METRICS.effectTries, { processor, outcome }, 0);
      meter.add(METRICS.effectsParked, { processor }, 0);
      meter.add(METRICS.offsetFailures, { processor }, 0);
    } else if (event.kind === 'committed') {
      const { processor, commitSeconds, latencySeconds } = event;
      meter.observe(METRICS.commitSeconds, { processor }, commitSeconds);
      if (latencySeconds !== null) meter.observe(METRICS.latencySeconds, { processor }, latencySeconds);
    } else if (event.kind === 'undelivered') meter.add(METRICS.undelivered, {});
    else if (event.kind === 'effect_settled')
      meter.add(METRICS.effectTries, { processor: event.processor, outcome: event.outcome });
    else if (event.kind === 'effect_parked') meter.add(METRICS.effectsParked, { processor: event.processor });
    else if (event.kind === 'commit_failed')
      meter.add(METRICS.offsetFailures, { processor: event.processor });
  }
}
