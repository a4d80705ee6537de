import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { DeadLetters, type DeadLetter, type DeadLetterScope, type DeadLetterState } from './dead-letters.ts';
import { matchesDeadLetter, UNKNOWN, type DeadLetterFilter } from './filter.ts';

export interface ListDeadLettersOptions {
  readonly scope: DeadLetterScope;
  readonly filter: DeadLetterFilter;
  /** Other dead-letter topics, whose records are only counted. */
  readonly otherTopics?: readonly string[];
  /** The maximum number to list; all matching ones are counted. */
  readonly limit: number;
  /** Called again only when its promise has resolved: the listener sets the pace. */
  readonly onDeadLetters: (deadLetters: readonly DeadLetter[]) => Promise<void>;
}

export interface ListDeadLettersSummary {
  readonly scope: DeadLetterScope;
  /** The number of matching dead letters. */
  readonly total: number;
  readonly listed: number;
  readonly byErrorCode: ReadonlyMap<string, number>;
  /** By the group that read the original record. */
  readonly byGroup: ReadonlyMap<string, number>;
  readonly byState: Readonly<Record<DeadLetterState, number>>;
  /** The number of records in each of the other topics, whatever their state; empty topics are left out. */
  readonly elsewhere: ReadonlyMap<string, number>;
}

/** Lists dead letters while they are read, however many there are. @throws Failure topic_missing */
export async function listDeadLetters(
  { access, broker }: { access: StoreAccess; broker: Broker },
  { scope, filter, limit, otherTopics = [], onDeadLetters }: ListDeadLettersOptions,
): Promise<ListDeadLettersSummary> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const deadLetters = await DeadLetters.open({ admin, reader, scope });
  const byErrorCode = new Map<string, number>();
  const byGroup = new Map<string, number>();
  const byState = { open: 0, redriven: 0, discarded: 0 };
  let total = 0;
  let listed = 0;
  for await (const chunk of deadLetters.all()) {
    const matching = chunk.filter((deadLetter) => matchesDeadLetter(deadLetter, filter));
    for (const { origin, state } of matching) {
      countOne(byErrorCode, origin.errorCode);
      countOne(byGroup, origin.group);
      byState[state] += 1;
    }
    total += matching.length;
    const shown = matching.slice(0, limit - listed);
    listed += shown.length;
    if (shown.length > 0) await onDeadLetters(shown);
  }
  const elsewhere = await recordsIn(admin, otherTopics);
  return { scope, total, listed, byErrorCode, byGroup, byState, elsewhere };
}

/** The number of records by topic; topics that are empty or do not exist are left out. */
export async function recordsIn(
  admin: Pick<BrokerAdmin, 'topicNames' | 'ranges'>,
  topics: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  if (topics.length === 0) return found;
  const known = new Set(await admin.topicNames());
  for (const topic of topics.filter((name) => known.has(name))) {
    let count = 0;
    for (const { start, end } of await admin.ranges(topic)) count += end - start;
    if (count > 0) found.set(topic, count);
  }
  return found;
}

function countOne(counts: Map<string, number>, name: string | null): void {
  const key = name ?? UNKNOWN;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
