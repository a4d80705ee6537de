import type { Overview } from '../../documents/http/overview.ts';
import type { ProcessorList } from '../../documents/http/processors.ts';

/** A place on the map of the flow: its element has it as `data-place`. */
export type Place = string;

/** `unknown`: the server does not say. */
export type State = 'unknown' | 'working' | 'waiting' | 'gone';

/** A processor, whether it runs or not. */
export interface Processor {
  readonly name: string;
  readonly topics: readonly string[];
  /** null: it does not run. */
  readonly rate: number | null;
  readonly lag: number | null;
  readonly state: State;
  /** The processes that run it. */
  readonly pids: readonly number[];
}

/** What enters the shop, by whom and where: one row of the map. */
export interface Lane {
  readonly source: string;
  readonly topic: string;
  /** Records that wait in it for its first processor; null: not known. */
  readonly waiting: number | null;
  /** The one that reads it first. */
  readonly processor: string;
}

type Consumer = NonNullable<Overview['consumer']>;
type Listed = ProcessorList['processors'][number];

/**
 * Those that run, as the consumer reports them; of the others those for which something waits, or that somebody has
 * started; all where none runs.
 */
export function processorsOf(
  { consumer, parts }: Pick<Overview, 'consumer' | 'parts'>,
  listed: readonly Listed[],
  isKnown: boolean,
): readonly Processor[] {
  const running = consumer?.processors ?? [];
  const runs = new Set(running.map(({ processor }) => processor));
  const isStarted = new Set(parts?.map(({ name }) => name));
  const resting = listed.filter(
    ({ processor, lag }) =>
      !runs.has(processor) && (consumer === null || isStarted.has(processor) || (lag ?? 0) > 0),
  );
  return [...running, ...resting].map(({ processor, topics, lag, records_per_second }) => {
    const how = consumer === null || !runs.has(processor) ? GONE : howIt(consumer, processor);
    return {
      name: processor,
      topics,
      lag,
      rate: records_per_second,
      pids: how.pids,
      state: isKnown ? how.state : 'unknown',
    };
  });
}

const GONE = { state: 'gone', pids: [] } as const;

/** How a processor runs: in one of the processes of a store that several share, or in the one that there is. */
function howIt({ pid, state, instances }: Consumer, processor: string): Pick<Processor, 'state' | 'pids'> {
  const its = (instances ?? [{ pid, state, processors: [processor] }]).filter((one) =>
    one.processors.includes(processor),
  );
  const works = its.some((one) => one.state === 'consuming');
  return { state: works ? 'working' : 'waiting', pids: its.map((one) => one.pid) };
}

/** Whether processors run in processes of their own, so that one can end without the others. */
export function isApart(all: readonly Processor[], parts: Overview['parts']): boolean {
  const names = new Set(all.map(({ name }) => name));
  if (parts?.some(({ name }) => names.has(name)) === true) return true;
  return new Set(all.filter(({ pids }) => pids.length > 0).map(({ pids }) => pids.join())).size > 1;
}

const SOURCES: Readonly<Record<string, (topicAt: number) => string>> = {
  orders: () => 'shop',
  validation: () => 'shop',
  // In the order of its sources: online orders, sales in stores, restocks.
  stock: (at) => ['shop', 'tills', 'suppliers'][at] ?? 'shop',
};

/** The topics that come from outside; those between processors are the map's inner lines. */
export function lanesOf(
  processors: readonly Pick<Processor, 'name' | 'topics'>[],
  waitingIn: (processor: string, topic: string) => number | null,
): readonly Lane[] {
  return processors.flatMap(({ name, topics }) => {
    const sourceAt = SOURCES[name];
    if (sourceAt === undefined) return [];
    // Of the checkout only the first topic is from outside.
    const entries = name === 'stock' ? topics : topics.slice(0, 1);
    return entries.map((topic, at) => {
      return { source: sourceAt(at), topic, waiting: waitingIn(name, topic), processor: name };
    });
  });
}

/** From left to right; what is not named is to their right. */
export const ROWS: readonly (readonly string[])[] = [
  ['orders'],
  ['validation', 'payment', 'inventory', 'warehouse'],
  ['stock'],
  ['tracking', 'notification', 'delivery', 'analytics'],
];

/** Where an order goes with a step of the checkout. */
const STEPS: Readonly<Record<string, readonly Place[]>> = {
  validated: ['source:shop', 'topic:validation', 'processor:validation'],
  rejected: ['source:shop', 'topic:validation', 'processor:validation', 'end:rejected'],
  paid: ['processor:validation', 'processor:payment'],
  declined: ['processor:validation', 'processor:payment', 'end:failed'],
  reserved: ['processor:payment', 'processor:inventory', 'end:completed'],
  gone: ['processor:payment', 'processor:inventory'],
  refunded: ['processor:payment', 'end:failed'],
  cancelled: ['processor:inventory', 'end:cancelled'],
  dispatched: ['processor:inventory', 'processor:warehouse'],
};

export function wayOfStep(step: string): readonly Place[] | undefined {
  return STEPS[step];
}

export function wayOfDecision(isAccepted: boolean): readonly Place[] {
  return ['source:shop', 'topic:orders', 'processor:orders', isAccepted ? 'end:completed' : 'end:rejected'];
}

export const WAY_OF_DEAD_LETTER: readonly Place[] = ['topic:orders', 'processor:orders', 'end:dead'];

/** The lines that are drawn, dots or none. */
export function linesOf(lanes: readonly Lane[], processors: readonly Processor[]): [Place, Place][] {
  const known = new Set(processors.map(({ name }) => name));
  const chain = (ROWS[1] ?? []).filter((name) => known.has(name));
  return [
    ...lanes.flatMap(({ source, topic, processor }): [Place, Place][] => [
      [`source:${source}`, topicPlace(processor, topic, lanes)],
      [topicPlace(processor, topic, lanes), `processor:${processor}`],
    ]),
    ...chain
      .slice(1)
      .map((name, at): [Place, Place] => [`processor:${chain[at] ?? ''}`, `processor:${name}`]),
    ...(known.has('orders')
      ? [
          ['processor:orders', 'end:completed'] as [Place, Place],
          ['processor:orders', 'end:rejected'] as [Place, Place],
        ]
      : []),
    ...(known.has('inventory') ? [['processor:warehouse', 'end:completed'] as [Place, Place]] : []),
  ];
}

/** A processor has one, or names them apart. */
export function topicPlace(processor: string, topic: string, lanes: readonly Lane[]): Place {
  const isOne = lanes.filter((lane) => lane.processor === processor).length === 1;
  return isOne ? `topic:${processor}` : `topic:${processor}/${topic}`;
}
