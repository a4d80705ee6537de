import { Failure } from '../../src/domain/failure.ts';
import type {
  Broker,
  BrokerAdmin,
  CommittedOffset,
  Producer,
  SendRecord,
  SendResult,
} from '../../src/ports/broker.ts';
import type { Position } from '../../src/ports/store.ts';
import { lastHeader, sameFingerprint, type RefusedPosition } from '../../src/ports/record.ts';
import {
  CLUSTER,
  DLQ_TOPIC,
  endOf,
  MAX_DEAD_LETTER_BYTES,
  PARTITIONS,
  simFingerprint,
  type SimTopic,
} from './topic.ts';

export type SendFault = 'before' | 'after';

/** What of a cluster a folder can see. It survives every crash of the consumer. */
export class SimBroker implements Broker {
  readonly addresses = 'simulated';
  /** Ids of the dead letters that arrived, in order. */
  readonly arrived: string[];
  /** Those among them that came of what the folder does not know any more. */
  #forgotten = new Set<string>();
  readonly committed: Map<number, CommittedOffset>;
  /** The next send fails before or after the records arrived. */
  sendFault: SendFault | null = null;
  /** By the id of a message: what it said when it came first, with key and headers. */
  #said = new Map<string, string>();
  #topicOf = new Map<string, string>();
  /** By topic that does not answer: until it does. What is on its way to it arrives then, unless the process is gone. */
  readonly #silent = new Map<string, { readonly until: Promise<void>; readonly end: () => void }>();
  readonly #topic: SimTopic;

  constructor(topic: SimTopic, from?: SimBroker) {
    this.#topic = topic;
    this.arrived = [...(from?.arrived ?? [])];
    if (from !== undefined) {
      this.#forgotten = new Set(from.#forgotten);
      this.#said = new Map(from.#said);
      this.#topicOf = new Map(from.#topicOf);
    }
    this.committed = new Map(from?.committed);
  }

  /** The folder is an older copy from now on: what it had sent since may be unknown to it. */
  forget(): void {
    for (const id of this.arrived) this.#forgotten.add(id);
    this.#said.clear();
  }

  /** What must be in the journal. */
  get known(): string[] {
    return this.arrived.filter((id) => !this.#forgotten.has(id));
  }

  /** The same by topic, each in the order in which they came first. */
  get knownByTopic(): Map<string, string[]> {
    const byTopic = new Map<string, string[]>();
    for (const id of new Set(this.known)) {
      const topic = this.#topicOf.get(id) ?? '';
      byTopic.set(topic, [...(byTopic.get(topic) ?? []), id]);
    }
    return byTopic;
  }

  get silent(): ReadonlySet<string> {
    return new Set(this.#silent.keys());
  }

  fallSilent(topic: string): void {
    let end = (): void => undefined;
    const until = new Promise<void>((resolve) => (end = resolve));
    this.#silent.set(topic, { until, end });
  }

  answerAgain(topic: string): void {
    this.#silent.get(topic)?.end();
    this.#silent.delete(topic);
  }

  async admin(): Promise<BrokerAdmin> {
    return {
      clusterId: async () => CLUSTER,
      partitionCount: async () => PARTITIONS,
      createTopic: async () => false,
      topicConfig: async () => '2000',
      ranges: async () =>
        this.#topic.map((_, partition) => ({ partition, start: 0, end: endOf(this.#topic, partition) })),
      refusedPositions: async (_topic, positions) =>
        new Map([...positions].flatMap(([partition, position]) => this.#refused(partition, position))),
      committed: async () => [...this.committed.values()],
      commit: async (_group, _topic, offsets) => {
        for (const entry of offsets) this.committed.set(entry.partition, entry);
      },
      group: async () => ({ state: 'Empty', members: [] }),
      [Symbol.asyncDispose]: async () => undefined,
    } satisfies Partial<BrokerAdmin> as unknown as BrokerAdmin;
  }

  #refused(partition: number, { next, last, clusterId }: Position): [number, RefusedPosition][] {
    const record = this.#topic[partition]?.find(({ offset }) => offset === last?.offset);
    const isOther = last !== null && record !== undefined && !sameFingerprint(simFingerprint(record), last);
    const isElsewhere = clusterId !== null && clusterId !== CLUSTER;
    const reason = next > endOf(this.#topic, partition) ? 'past_end' : isOther ? 'other_record' : 'cluster';
    if (reason === 'cluster' && !isElsewhere) return [];
    return [[partition, { reason, failure: new Failure('topic_changed', `${partition}: ${reason}`) }]];
  }

  async producer(): Promise<Producer> {
    return {
      send: async (topic, records) => {
        await this.#silent.get(topic)?.until;
        return this.#send(topic, records);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async consumer(): Promise<never> {
    throw new Error('batches are handed over by the simulation');
  }

  #send(topic: string, records: readonly SendRecord[]): SendResult {
    const fault = this.sendFault;
    this.sendFault = null;
    const away = new Failure('broker_unreachable', 'the simulated broker is away');
    if (fault === 'before') return { outcomes: records.map(() => 'not_sent' as const), failure: away };
    const outcomes = records.map((record) => {
      if (topic === DLQ_TOPIC && (record.value?.byteLength ?? 0) > MAX_DEAD_LETTER_BYTES) {
        return 'too_large' as const;
      }
      this.#arrive(topic, record);
      return { partition: 0, offset: this.arrived.length - 1 };
    });
    if (fault === 'after') return { outcomes: records.map(() => 'unknown' as const), failure: away };
    return { outcomes, failure: null };
  }

  #arrive(topic: string, { key, value, headers = [] }: SendRecord): void {
    const header = (name: string): string => String(lastHeader(headers, name));
    const of = (name: string): string => header(`x-original-${name}`);
    const isMessage = lastHeader(headers, 'ce_id') !== undefined;
    const id = isMessage ? header('ce_id') : `${of('topic')}/${of('partition')}@${of('offset')}`;
    const text = Buffer.from(value ?? '').toString();
    const says = JSON.stringify([topic, String(key), text, headers.map(String)]);
    // A dead letter says when it was one, and may be one again.
    if (isMessage && (this.#said.get(id) ?? says) !== says) {
      throw new Error(`${id} was sent as ${String(this.#said.get(id))}, and again as ${says}`);
    }
    this.#said.set(id, says);
    this.#topicOf.set(id, topic);
    this.arrived.push(id);
  }
}
