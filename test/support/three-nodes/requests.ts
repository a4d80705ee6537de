import type { Reader } from '../../../src/dev-broker/wire/reader.ts';
import type { Writer } from '../../../src/dev-broker/wire/writer.ts';
import { RawClient } from '../raw-client.ts';

/** Fields in the order of https://kafka.apache.org/protocol. */
const PRODUCE = { key: 0, version: 7 };
const METADATA = { key: 3, version: 7 };
const ELECT_LEADERS = { key: 43, version: 1 };
const ALTER_PARTITION_REASSIGNMENTS = { key: 45, version: 0 };

/** Longer than any request takes that is not lost. */
const ANSWER_TIMEOUT_MS = 2_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** The code for a preferred election when the replica leads already. */
const ELECTION_NOT_NEEDED = 84;

export interface PartitionState {
  readonly partition: number;
  /** −1 for none. */
  readonly leader: number;
  readonly epoch: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

/** The leader in the metadata may not know of its role yet: nothing was stored. */
export const NOT_LEADER_OR_FOLLOWER = 6;

export class Refusal extends Error {
  /** Kafka's error code. */
  readonly code: number;

  constructor(what: string, code: number) {
    super(`${what}: Kafka's error ${code}`);
    this.code = code;
  }
}

/** A test's connection to one node, opened when needed and again after an error. */
export class NodeConnection {
  readonly #port: number;
  #client: RawClient | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** @throws Error when no answer comes in time; the next call uses another connection */
  async ask(
    { key, version }: { key: number; version: number },
    body: (writer: Writer) => void,
    timeoutMs = ANSWER_TIMEOUT_MS,
  ): Promise<Reader> {
    this.#client ??= await RawClient.connect(this.#port);
    const client = this.#client;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), timeoutMs);
    });
    const answer = await Promise.race([client.ask(key, version, body), late]);
    clearTimeout(timer);
    if (answer !== undefined) return answer;
    this.close();
    throw new Error(`no answer to request ${key} from port ${this.#port}`);
  }

  close(): void {
    this.#client?.end();
    this.#client = undefined;
  }
}

/** A topic's partitions as this node knows them; empty while it does not know the topic. */
export async function describePartitions(node: NodeConnection, topic: string): Promise<PartitionState[]> {
  const reader = await node.ask(METADATA, (writer) => {
    writer.array([topic], (name) => writer.string(name));
    writer.boolean(false);
  });
  reader.int32();
  reader.array(() => [reader.int32(), reader.string(), reader.int32(), reader.nullableString()]);
  reader.nullableString();
  reader.int32();
  const [partitions = []] = reader.array(() => {
    reader.int16();
    reader.string();
    reader.boolean();
    return reader.array((): PartitionState => {
      reader.int16();
      const [partition, leader, epoch] = [reader.int32(), reader.int32(), reader.int32()];
      const [replicas, inSync] = [reader.array(() => reader.int32()), reader.array(() => reader.int32())];
      reader.array(() => reader.int32());
      return { partition, leader, epoch, replicas, inSync };
    });
  });
  return partitions;
}

/**
 * Elects the first of the replicas if it is in sync, otherwise makes an unclean election.
 *
 * @throws Refusal
 */
export async function electLeader(
  node: NodeConnection,
  topic: string,
  partition: number,
  kind: 'preferred' | 'unclean' = 'preferred',
): Promise<void> {
  const reader = await node.ask(
    ELECT_LEADERS,
    (writer) => {
      writer.int8(kind === 'preferred' ? 0 : 1);
      writer.array([topic], (name) => {
        writer.string(name);
        writer.array([partition], (index) => writer.int32(index));
      });
      writer.int32(REQUEST_TIMEOUT_MS);
    },
    REQUEST_TIMEOUT_MS,
  );
  reader.int32();
  const error = reader.int16();
  const errors = reader
    .array(() => {
      reader.string();
      return reader.array(() => {
        reader.int32();
        const code = reader.int16();
        reader.nullableString();
        return code;
      });
    })
    .flat();
  refuse(`election for ${topic}/${partition}`, [error, ...errors], [ELECTION_NOT_NEEDED]);
}

/** Gives a partition other replicas, the preferred leader first. Resolves when metadata shows it. @throws Refusal */
export async function reassign(
  node: NodeConnection,
  topic: string,
  partition: number,
  replicas: readonly number[],
): Promise<void> {
  const reader = await node.ask(
    ALTER_PARTITION_REASSIGNMENTS,
    (writer) => {
      writer.flexible = true;
      writer.noTags(); // those of the header
      writer.int32(REQUEST_TIMEOUT_MS);
      writer.structs([topic], (name) => {
        writer.string(name);
        writer.structs([partition], (index) => {
          writer.int32(index);
          writer.array(replicas, (replica) => writer.int32(replica));
        });
      });
      writer.noTags();
    },
    REQUEST_TIMEOUT_MS,
  );
  reader.flexible = true;
  reader.skipTags();
  reader.int32();
  const error = reader.int16();
  reader.nullableString();
  const errors = reader
    .structs(() => {
      reader.string();
      return reader.structs(() => {
        reader.int32();
        const code = reader.int16();
        reader.nullableString();
        return code;
      });
    })
    .flat();
  refuse(`reassignment of ${topic}/${partition}`, [error, ...errors]);
}

export interface Stored {
  /** The offset of its first record. */
  readonly offset: number;
  /** By the broker's clock; −1 where the topic keeps the producer's time. */
  readonly appendTimeMs: number;
}

/** Stores a record batch with acks=all. @throws Refusal */
export async function produce(
  node: NodeConnection,
  topic: string,
  partition: number,
  batch: Buffer,
): Promise<Stored> {
  const reader = await node.ask(PRODUCE, (writer) => {
    writer.nullableString(null);
    writer.int16(-1);
    writer.int32(ANSWER_TIMEOUT_MS / 2);
    writer.array([topic], (name) => {
      writer.string(name);
      writer.array([partition], (index) => {
        writer.int32(index);
        writer.nullableBytes(batch);
      });
    });
  });
  const [answer] = reader
    .array(() => {
      reader.string();
      return reader.array(() => {
        reader.int32();
        const result = { error: reader.int16(), offset: reader.int64(), appendTimeMs: reader.int64() };
        reader.int64(); // log start offset
        return result;
      });
    })
    .flat();
  refuse(`produce to ${topic}/${partition}`, [answer?.error ?? -1]);
  return { offset: answer?.offset ?? -1, appendTimeMs: answer?.appendTimeMs ?? -1 };
}

function refuse(what: string, codes: readonly number[], harmless: readonly number[] = []): void {
  const bad = codes.find((code) => code !== 0 && !harmless.includes(code));
  if (bad !== undefined) throw new Refusal(what, bad);
}
