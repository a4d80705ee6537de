import { isFailure, type Failure } from '../../domain/failure.ts';
import type { EffectKind } from '../../domain/effects.ts';
import type { TopicNames } from '../../domain/messages/topic-names.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import type { ProcessorStatus, RunningConsumer } from '../../ports/owner.ts';
import type { StoreReader } from '../../ports/store.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import { rangesOf, storedPositions, type ProcessorTopics } from '../offsets/group-positions.ts';
import { readingOfAll } from '../offsets/reading.ts';

/** The pending effects of a processor. */
export interface OwedEffects {
  readonly owed: number;
  /** The number of effects that were handed out and have no answer. */
  readonly trying: number;
  /** The number of effects that are no longer tried. */
  readonly parked: number;
  /** When the next effect is due, in milliseconds since the epoch; null: none is. */
  readonly nextDueAt: number | null;
}

export interface SeenProcessor extends ProcessorTopics {
  /** null: it is not running. */
  readonly running: ProcessorStatus | null;
  /** From the running processor, or else from the brokers; null: unknown. */
  readonly lag: number | null;
  readonly effects: OwedEffects;
}

export interface SeenProcessors {
  /** null: no consumer is running, or this is unknown because of `problem`. */
  readonly consumer: RunningConsumer | null;
  readonly processors: readonly SeenProcessor[];
  /** Why some of this is unknown. */
  readonly problem: Failure | null;
}

/** The state of all processors of a shop, running or not. @throws Failure as StoreAccess.read */
export async function seeProcessors(
  { access, broker }: { readonly access: StoreAccess; readonly broker: Broker },
  shop: { readonly group: string; readonly names: TopicNames },
): Promise<SeenProcessors> {
  let problem: Failure | null = null;
  const note = (error: unknown): null => {
    if (!isFailure(error)) throw error;
    problem ??= error;
    return null;
  };
  const consumer = await access.consumerStatus().catch(note);
  await using reader = await access.read();
  const owed = await owedEffects(reader);
  const readings = readingOfAll(shop);
  const running = new Map(consumer?.status.processors.map((one) => [one.name, one]));
  const resting = readings.filter(({ processor }) => !running.has(processor));
  const lags = await lagsOf(broker, reader, resting).catch(note);
  const seen = readings.map((reading): SeenProcessor => {
    const { processor } = reading;
    const status = running.get(processor) ?? null;
    const lag = status === null ? (lags?.get(processor) ?? null) : status.lag;
    return { ...reading, running: status, lag, effects: owed.get(processor) ?? NONE };
  });
  return { consumer, processors: seen, problem };
}

const NONE: OwedEffects = { owed: 0, trying: 0, parked: 0, nextDueAt: null };

async function owedEffects(reader: Pick<StoreReader, 'effects'>): Promise<ReadonlyMap<string, OwedEffects>> {
  const owing = new Map<EffectKind, string>();
  for (const { name, effects } of processors(PLAIN_SHOP))
    for (const kind of effects?.kinds ?? []) owing.set(kind, name);
  const counts = new Map<string, OwedEffects>();
  for (const { kind, state, dueAt } of await reader.effects()) {
    const name = owing.get(kind) ?? kind;
    const { owed, trying, parked, nextDueAt } = counts.get(name) ?? NONE;
    counts.set(name, {
      owed: owed + 1,
      trying: trying + (state === 'trying' ? 1 : 0),
      parked: parked + (state === 'parked' ? 1 : 0),
      nextDueAt: state === 'due' ? Math.min(nextDueAt ?? Infinity, dueAt) : nextDueAt,
    });
  }
  return counts;
}

/** The lag of processors that are not running. */
async function lagsOf(
  broker: Broker,
  reader: StoreReader,
  resting: readonly ProcessorTopics[],
): Promise<ReadonlyMap<string, number>> {
  const lags = new Map<string, number>();
  if (resting.length === 0) return lags;
  await using admin = await broker.admin();
  const topics = new Set(await admin.topicNames());
  for (const { processor, topics: read } of resting) {
    let lag = 0;
    // A topic that does not exist yet has no records.
    for (const topic of read.filter((name) => topics.has(name)))
      lag += await lagIn(admin, reader, { processor, topic });
    lags.set(processor, lag);
  }
  return lags;
}

async function lagIn(
  admin: BrokerAdmin,
  reader: StoreReader,
  source: Parameters<typeof storedPositions>[1],
): Promise<number> {
  const stored = await storedPositions(reader, source);
  const ranges = await rangesOf(admin, source);
  return ranges.reduce(
    (sum, { partition, start, end }) => sum + Math.max(0, end - (stored.get(partition)?.next ?? start)),
    0,
  );
}
