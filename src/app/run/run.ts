import type { Broker, Consumer, ConsumerEvent } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Store, StoredPosition } from '../../ports/store.ts';
import type { Outcome, Processor } from '../../processors/processor.ts';
import type { RunEvent, RunProcessorOptions, RunSummary } from './events.ts';
import { Progress } from './progress.ts';
import { StatusBoard } from './status.ts';
import { markOf } from '../offsets/plan.ts';
import { prepareConsumer } from './prepare.ts';
import { BatchRunner } from './batch.ts';
import { unsentOf } from './outbox.ts';
import { BOUNDED_WAIT_MS, isBounded } from './wait.ts';

export interface RunPorts<M> {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly codec: Codec<M>;
  readonly clock: Clock;
}

/**
 * Reads a topic and has a processor decide it, with changes and position in one commit. Runs until a limit of `asked` or
 * its signal ends it; the last event is `ended`, before a failure too.
 *
 * @throws Failure of the ports and of `asked.onOwned`; group_in_use, group_marked, topic_missing, offsets_gone,
 * topic_changed
 */
export async function runProcessor<M, R extends Outcome>(
  ports: RunPorts<M>,
  processor: Processor<M, R>,
  asked: RunProcessorOptions<M, R>,
): Promise<void> {
  const { access, broker, codec, clock } = ports;
  // Aborts when the caller's signal comes, or nothing can be stored or sent any more.
  const stop = new AbortController();
  // Aborts then too, and when the end is reached: nothing more is read, but what was decided is still to be sent.
  const end = new AbortController();
  stop.signal.addEventListener('abort', () => end.abort(), { once: true });
  const board = new StatusBoard({ topic: asked.topic, group: asked.group, signal: end.signal }, clock);
  const on = (event: RunEvent<M, R>): void => {
    board.take(event);
    asked.on(event);
  };
  const options: RunProcessorOptions<M, R> = { ...asked, on };
  const startedAt = clock.now();
  let storeFailure: Error | undefined;
  await using store = await access.own({
    purpose: options.purpose,
    via: 'consume',
    onNotice: (notice) => on({ kind: 'notice', notice }),
    onFailure: (failure) => {
      storeFailure = failure;
      stop.abort();
    },
    status: () => board.status(),
    onStop: () => on({ kind: 'stop_asked' }),
    newId: options.newId === true,
  });
  await options.onOwned?.(store);
  const { processes } = access;
  const prepared = await prepareConsumer(
    { store, broker, processes, clock },
    { ...options, processor: processor.name },
  );
  const forwardAbort = (): void => stop.abort();
  options.signal.addEventListener('abort', forwardAbort);
  if (options.signal.aborted) stop.abort();
  const { positions } = prepared;
  const progress = new Progress(prepared.ranges, positions);
  const parts = { processor, store, codec, broker, clock, options, positions, stop };
  const batches = new BatchRunner<M, R>(parts);
  board.attach({ counts: options.counts, lag: () => progress.lag() });
  let failed = true;
  try {
    on({ kind: 'started', topic: options.topic, group: options.group, remaining: progress.remaining() });
    await batches.begin();
    await using consumer = await broker.consumer();
    const process = processes.self();
    await read({ consumer, process, store, batches, progress, positions, options, end });
    if (storeFailure === undefined) await batches.drain();
    if (storeFailure !== undefined) throw storeFailure;
    failed = false;
  } finally {
    options.signal.removeEventListener('abort', forwardAbort);
    await batches.close();
    const unsent = unsentOf(store);
    if (unsent > 0) on({ kind: 'unsent', deadLetters: unsent });
    const run: RunSummary = {
      skipped: prepared.skipped,
      stoppedBy: failed ? 'error' : stopReason(batches, progress, options),
      seconds: (clock.now() - startedAt) / 1000,
      partitions: progress.partitions(),
    };
    on({ kind: 'ended', run });
  }
}

interface Reading<M, R extends Outcome> {
  readonly consumer: Consumer;
  readonly process: string | null;
  readonly store: Store;
  readonly batches: BatchRunner<M, R>;
  readonly progress: Progress;
  readonly positions: Map<number, StoredPosition>;
  readonly options: RunProcessorOptions<M, R>;
  readonly end: AbortController;
}

async function read<M, R extends Outcome>(reading: Reading<M, R>): Promise<void> {
  const { consumer, process, store, batches, progress, positions, options, end } = reading;
  const finished = (): boolean =>
    (options.untilEnd && progress.atEnd()) || batches.read >= (options.maxMessages ?? Infinity);
  const onEvent = (event: ConsumerEvent): void => {
    // Positions are compared with the topic at a join, so not even an empty run ends before it.
    if (event.kind === 'joined') {
      if (finished()) end.abort();
    } else {
      forward(event, options.on);
    }
  };
  await consumer.run(
    {
      topics: [options.topic],
      group: options.group,
      storeId: store.storeId,
      mode: 'exclusive',
      clientId: markOf(store.storeId),
      process,
      metadata: markOf(store.storeId),
      positions: () => positions.values(),
      onEvent,
      onNext: (records) => batches.expect(records),
      stallTimeoutMs: isBounded(options) ? BOUNDED_WAIT_MS : null,
      signal: end.signal,
    },
    async (batch) => {
      const next = await batches.process(batch);
      progress.advance(batch.partition, next, batch.highWatermark);
      if (finished()) end.abort();
      return next;
    },
  );
}

function forward(
  event: Exclude<ConsumerEvent, { kind: 'joined' }>,
  on: RunProcessorOptions<never, never>['on'],
): void {
  switch (event.kind) {
    case 'waiting':
      on({ kind: 'waiting', for: 'broker', forMs: event.forMs, message: event.message });
      break;
    case 'resumed':
      on({ kind: 'resumed', for: 'broker' });
      break;
    case 'silent':
    case 'answered':
    case 'commit_failed':
      on(event);
      break;
  }
}

function stopReason(
  batches: { readonly read: number },
  progress: Progress,
  options: Pick<RunProcessorOptions<never, never>, 'maxMessages' | 'untilEnd'>,
): RunSummary['stoppedBy'] {
  if (batches.read >= (options.maxMessages ?? Infinity)) return 'max_messages';
  return options.untilEnd && progress.atEnd() ? 'end' : 'signal';
}
