import { Failure } from '../../domain/failure.ts';
import type { Broker, Consumer, ConsumerEvent } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Position, Store } from '../../ports/store.ts';
import type { ConsumeOptions, ConsumeOrdersEvent, ConsumeSummary } from './events.ts';
import { Progress } from './progress.ts';
import { StatusBoard } from './status.ts';
import { markOf } from '../offsets/plan.ts';
import { prepareConsumer } from './prepare.ts';
import { BatchProcessor } from './batch.ts';
import { BOUNDED_WAIT_MS } from './wait.ts';

export interface ConsumePorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly codec: OrderCodec;
  readonly clock: Clock;
}

/**
 * Reads orders, decides each once, and stores decision and position in one commit. Runs until a limit of
 * `options` or its signal ends it; the last event is the summary, before a failure too.
 *
 * @throws Failure of the ports; not_found (no users or no items); group_in_use, group_marked, topic_missing, offsets_gone, topic_changed
 */
export async function consumeOrders(ports: ConsumePorts, asked: ConsumeOptions): Promise<void> {
  const { access, broker, codec, clock } = ports;
  // Aborts when the end is reached, the caller's signal comes, or nothing can be stored any more.
  const stop = new AbortController();
  const board = new StatusBoard({ topic: asked.topic, group: asked.group, signal: stop.signal }, clock);
  const on = (event: ConsumeOrdersEvent): void => {
    board.take(event);
    asked.on(event);
  };
  const options: ConsumeOptions = { ...asked, on };
  const startedAt = clock.now();
  let storeFailure: Error | undefined;
  // Before it is owned: a mistyped name leaves no folder behind.
  if (options.allowEmpty !== true && !access.isThere()) throw nothingToDecideOn('users', access.name);
  await using store = await access.own({
    purpose: `consume ${options.topic} as group ${options.group}`,
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
  await checkTables(store, access.name, options);
  const { processes } = access;
  const prepared = await prepareConsumer({ store, broker, processes, clock }, options);
  const forwardAbort = (): void => stop.abort();
  options.signal.addEventListener('abort', forwardAbort);
  if (options.signal.aborted) stop.abort();
  const progress = new Progress(prepared.ranges, prepared.positions);
  const processor = new BatchProcessor({
    store,
    codec,
    broker,
    clock,
    options,
    positions: prepared.positions,
    stop,
  });
  board.attach({ counts: () => processor.counts(), lag: () => progress.lag() });
  let failed = true;
  try {
    on({ kind: 'started', topic: options.topic, group: options.group, remaining: progress.remaining() });
    await processor.begin();
    await using consumer = await broker.consumer();
    const { positions } = prepared;
    const process = processes.self();
    await read({ consumer, process, store, processor, progress, positions, options, stop });
    if (storeFailure !== undefined) throw storeFailure;
    await processor.drain();
    failed = false;
  } finally {
    options.signal.removeEventListener('abort', forwardAbort);
    await processor.close();
    on({
      kind: 'summary',
      summary: {
        ...processor.counts(),
        skipped: prepared.skipped,
        stoppedBy: failed ? 'error' : stopReason(processor, progress, options),
        seconds: (clock.now() - startedAt) / 1000,
        partitions: progress.partitions(),
      },
    });
  }
}

async function checkTables(
  store: Store,
  name: string,
  { allowEmpty = false, on }: ConsumeOptions,
): Promise<void> {
  for (const table of ['users', 'items'] as const) {
    const [first] = await store[table]();
    if (first !== undefined) continue;
    if (!allowEmpty) throw nothingToDecideOn(table, name);
    on({ kind: 'empty_table', table, store: name });
  }
}

/** A decision is final: orders must not be rejected for ever because the store is the wrong one, or not filled yet. */
function nothingToDecideOn(table: 'users' | 'items', store: string): Failure {
  return new Failure(
    'not_found',
    `there are no ${table} in ${store}: every order would be rejected, and a decision is final`,
    { fix: { kind: 'fill_or_reject', table } },
  );
}

interface Reading {
  readonly consumer: Consumer;
  readonly process: string | null;
  readonly store: Store;
  readonly processor: BatchProcessor;
  readonly progress: Progress;
  readonly positions: Map<number, Position>;
  readonly options: ConsumeOptions;
  readonly stop: AbortController;
}

async function read(reading: Reading): Promise<void> {
  const { consumer, process, store, processor, progress, positions, options, stop } = reading;
  const bounded = options.untilEnd || options.maxMessages !== null;
  const finished = (): boolean =>
    (options.untilEnd && progress.atEnd()) || processor.counts().read >= (options.maxMessages ?? Infinity);
  const onEvent = (event: ConsumerEvent): void => {
    // Positions are compared with the topic at a join, so not even an empty run ends before it.
    if (event.kind === 'joined') {
      if (finished()) stop.abort();
    } else {
      forward(event, options.on);
    }
  };
  await consumer.run(
    {
      topics: [options.topic],
      group: options.group,
      storeId: store.storeId,
      clientId: markOf(store.storeId),
      process,
      metadata: markOf(store.storeId),
      positions: () => positions.values(),
      onEvent,
      onNext: (records) => processor.expect(records),
      stallTimeoutMs: bounded ? BOUNDED_WAIT_MS : null,
      signal: stop.signal,
    },
    async (batch) => {
      const next = await processor.process(batch);
      progress.advance(batch.partition, next, batch.highWatermark);
      if (finished()) stop.abort();
      return next;
    },
  );
}

function forward(event: Exclude<ConsumerEvent, { kind: 'joined' }>, on: ConsumeOptions['on']): void {
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
  processor: BatchProcessor,
  progress: Progress,
  options: ConsumeOptions,
): ConsumeSummary['stoppedBy'] {
  if (processor.counts().read >= (options.maxMessages ?? Infinity)) return 'max_messages';
  return options.untilEnd && progress.atEnd() ? 'end' : 'signal';
}
