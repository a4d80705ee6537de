import type { Overview } from '../../documents/http/overview.ts';
import type { ProcessorList } from '../../documents/http/processors.ts';

/** A place on the map of the flow; its element has it as `data-place`. */
export type Place = string;

/** `unknown`: the server does not report it. */
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

/** A topic from outside with its source: one row of the map. */
export interface Lane {
  readonly source: string;
  readonly topic: string;
  /** Records of the topic that wait for its first processor; null: not known. */
  readonly waiting: number | null;
  /** The first processor that reads the topic. */
  readonly processor: string;
}

type Consumer = NonNullable<Overview['consumer']>;
type Listed = ProcessorList['processors'][number];

/**
 * The processors to show: those that run, as the consumer reports them, and of the others those that have lag or were
 * started by `up`. If none runs, all.
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

/** The state and processes of a processor: it runs in several processes if they share the store, otherwise in one. */
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

/** The topics filled from outside; topics between processors are drawn as lines between them. */
export function lanesOf(
  processors: readonly Pick<Processor, 'name' | 'topics'>[],
  waitingIn: (processor: string, topic: string) => number | null,
): readonly Lane[] {
  return processors.flatMap(({ name, topics }) => {
    const sourceAt = SOURCES[name];
    if (sourceAt === undefined) return [];
    // Of the topics of the checkout, only the first is filled from outside.
    const entries = name === 'stock' ? topics : topics.slice(0, 1);
    return entries.map((topic, at) => {
      return { source: sourceAt(at), topic, waiting: waitingIn(name, topic), processor: name };
    });
  });
}

/** The rows of processors, each from left to right; processors not named here follow to the right. */
export const ROWS: readonly (readonly string[])[] = [
  ['orders'],
  ['validation', 'payment', 'inventory', 'warehouse'],
  ['stock'],
  ['tracking', 'notification', 'delivery', 'analytics'],
];

/** The way of an order on the map at each step of the checkout. */
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

/** The lines that are drawn, with or without dots. */
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

/** The place of a topic; it has the topic's name only if the processor has several topics. */
export function topicPlace(processor: string, topic: string, lanes: readonly Lane[]): Place {
  const isOne = lanes.filter((lane) => lane.processor === processor).length === 1;
  return isOne ? `topic:${processor}` : `topic:${processor}/${topic}`;
}
