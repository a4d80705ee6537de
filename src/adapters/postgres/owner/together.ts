import type { ConsumerStatus, ProcessorStatus, RunningConsumer } from '../../../ports/owner.ts';
import type { Instance } from './instances.ts';

/** An owner with its answer; `status` is null if it has given none. */
export interface AnsweredInstance extends Instance {
  readonly status: ConsumerStatus | null;
}

/** Combines the answers of a store's owners: counts and rates are added up. @returns null when none has answered */
export function together(answers: readonly AnsweredInstance[]): RunningConsumer | null {
  const answered = answers.flatMap((one) => (one.status === null ? [] : [{ ...one, status: one.status }]));
  const [first] = answered;
  if (first === undefined) return null;
  const instances = answers.map(({ pid, host, started_at: startedAt, status }) => ({
    pid,
    host,
    startedAt,
    state: status?.state ?? ('silent' as const),
    processors: (status?.processors ?? []).map(({ name }) => name),
    partitions: (status?.processors ?? []).flatMap(({ name, partitions }) =>
      partitions.map(({ topic, partition }) => ({ processor: name, topic, partition })),
    ),
  }));
  const status = answered.map((one) => one.status).reduce(both);
  return { pid: first.pid, startedAt: first.started_at, status, instances };
}

/** From the most worrying state to the least. */
const STATES = ['waiting', 'starting', 'stopping', 'consuming'] as const;

function both(a: ConsumerStatus, b: ConsumerStatus): ConsumerStatus {
  const [main, other] = hasOrders(b) && !hasOrders(a) ? [b, a] : [a, b];
  const isSame = main.topic === other.topic && main.group === other.group;
  const processors = [...main.processors];
  for (const one of other.processors) {
    const at = processors.findIndex(({ name }) => name === one.name);
    const known = processors[at];
    if (known === undefined) processors.push(one);
    else processors[at] = bothProcessors(known, one);
  }
  const [worst] = [main, other].toSorted((x, y) => STATES.indexOf(x.state) - STATES.indexOf(y.state));
  return {
    ...main,
    state: worst?.state ?? main.state,
    waitingFor: main.waitingFor ?? other.waitingFor,
    processors,
    brokenFiles: [...main.brokenFiles, ...other.brokenFiles],
    ...(isSame ? sums(main, other) : {}),
  };
}

function hasOrders({ processors }: ConsumerStatus): boolean {
  return processors.some(({ name }) => name === 'orders');
}

function sums(
  a: ConsumerStatus,
  b: ConsumerStatus,
): Pick<ConsumerStatus, 'ordersPerSecond' | 'lag' | 'lastCommitAt' | 'counts'> {
  const { counts: x } = a;
  const { counts: y } = b;
  return {
    ordersPerSecond: a.ordersPerSecond + b.ordersPerSecond,
    lag: sum(a.lag, b.lag),
    lastCommitAt: later(a.lastCommitAt, b.lastCommitAt),
    counts: {
      read: x.read + y.read,
      accepted: x.accepted + y.accepted,
      rejected: x.rejected + y.rejected,
      duplicates: x.duplicates + y.duplicates,
      conflicts: x.conflicts + y.conflicts,
      deadLettered: x.deadLettered + y.deadLettered,
    },
  };
}

function bothProcessors(a: ProcessorStatus, b: ProcessorStatus): ProcessorStatus {
  const outcomes = { ...a.outcomes };
  for (const [name, count] of Object.entries(b.outcomes)) outcomes[name] = (outcomes[name] ?? 0) + count;
  return {
    ...a,
    partitions: [...a.partitions, ...b.partitions],
    recordsPerSecond: a.recordsPerSecond + b.recordsPerSecond,
    lag: sum(a.lag, b.lag),
    lastCommitAt: later(a.lastCommitAt, b.lastCommitAt),
    read: a.read + b.read,
    deadLettered: a.deadLettered + b.deadLettered,
    outcomes,
  };
}

/** Unknown if either is unknown. */
function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function later(a: number | null, b: number | null): number | null {
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}
