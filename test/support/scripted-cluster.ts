import net, { type AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { newEncoder, type Encoder } from '../../src/adapters/kafka/protocol/kafkajs.ts';
import { readInt64 } from '../../src/adapters/kafka/protocol/record-batch.ts';

/** A batch as it arrived at a node. */
export interface Arrived {
  readonly node: number;
  readonly partition: number;
  readonly producerId: number;
  readonly sequence: number;
  readonly records: number;
  readonly sizeBytes: number;
  /** The timestamp of its first record. */
  readonly timestampMs: number;
}

/** An error code of the protocol; no answer; or a closed connection. */
export type Answer = number | 'silent' | 'close';

const UNKNOWN_TOPIC = 3;

/**
 * Nodes on loopback with the part of Kafka's protocol that a producer and the creation of a topic need, which answer as
 * the test says. They have one topic, whatever its name. They stop at the end of the test.
 */
export class ScriptedCluster {
  /** The node that leads each partition, −1 for none. When empty, the topic does not exist. */
  leaders: number[];
  /** The answer to a batch; 0 means stored. */
  answer: (batch: Arrived) => Answer = () => 0;
  /** Nodes that answer no request. */
  readonly silent = new Set<number>();
  /** Nodes that close each connection at its first request, as if they had just died. */
  readonly dead = new Set<number>();
  /** Nodes that do not know the topic yet. */
  readonly ignorant = new Set<number>();
  /** How often each node was asked for the topic. */
  readonly asked = new Map<number, number>();
  readonly arrived: Arrived[] = [];
  readonly #ports: number[] = [];
  readonly #ends: number[];
  #producerIds = 0;

  private constructor(leaders: readonly number[]) {
    this.leaders = [...leaders];
    this.#ends = leaders.map(() => 0);
  }

  static async start(nodes: number, leaders: readonly number[]): Promise<ScriptedCluster> {
    const cluster = new ScriptedCluster(leaders);
    for (let node = 0; node < nodes; node += 1) await cluster.#listen(node);
    return cluster;
  }

  get addresses(): string[] {
    return this.#ports.map((port) => `127.0.0.1:${port}`);
  }

  async #listen(node: number): Promise<void> {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      let buffered = Buffer.alloc(0);
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => {
        buffered = Buffer.concat([buffered, data]);
        while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
          const size = buffered.readInt32BE(0);
          this.#take(node, socket, buffered.subarray(4, 4 + size));
          buffered = buffered.subarray(4 + size);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    this.#ports[node] = (server.address() as AddressInfo).port;
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }

  #take(node: number, socket: net.Socket, request: Buffer): void {
    if (this.silent.has(node)) return;
    if (this.dead.has(node)) {
      socket.destroy();
      return;
    }
    const key = request.readInt16BE(0);
    const body = request.subarray(10 + Math.max(request.readInt16BE(8), 0));
    const answer = newEncoder().writeInt32(request.readInt32BE(4));
    if (key === 18) this.#versions(answer, request.readInt16BE(2));
    else if (key === 3) this.#metadata(node, answer, topicIn(body));
    else if (key === 19) answer.writeInt32(1).writeString(topicIn(body)).writeInt16(0);
    else if (key === 22) answer.writeInt32(0).writeInt16(0).writeInt64(++this.#producerIds).writeInt16(0);
    else if (key === 0) {
      const fate = this.#produce(node, body, answer);
      if (fate === 'close') socket.destroy();
      if (fate !== null) return;
    } else throw new Error(`request ${key} is not in the script`);
    const size = Buffer.alloc(4);
    size.writeInt32BE(answer.buffer.length);
    socket.write(Buffer.concat([size, answer.buffer]));
  }

  #versions(answer: Encoder, version: number): void {
    const offered = [
      [0, 0, 7],
      [3, 0, 7],
      [18, 0, 2],
      [19, 0, 0],
      [22, 0, 1],
    ] as const;
    answer.writeInt16(0).writeInt32(offered.length);
    for (const [key, from, to] of offered) answer.writeInt16(key).writeInt16(from).writeInt16(to);
    if (version > 0) answer.writeInt32(0);
  }

  #metadata(node: number, answer: Encoder, topic: string | null): void {
    answer.writeInt32(0).writeInt32(this.#ports.length);
    for (const [id, port] of this.#ports.entries()) {
      answer.writeInt32(id).writeString('127.0.0.1').writeInt32(port).writeString(null);
    }
    answer.writeString('scripted').writeInt32(0);
    answer.writeInt32(topic === null ? 0 : 1);
    if (topic === null) return;
    this.asked.set(node, (this.asked.get(node) ?? 0) + 1);
    const leaders = this.ignorant.has(node) ? [] : this.leaders;
    answer
      .writeInt16(leaders.length === 0 ? UNKNOWN_TOPIC : 0)
      .writeString(topic)
      .writeBoolean(false)
      .writeInt32(leaders.length);
    for (const [partition, leader] of leaders.entries()) {
      answer
        .writeInt16(leader < 0 ? 5 : 0)
        .writeInt32(partition)
        .writeInt32(leader)
        .writeInt32(0);
      for (const list of [[0], [0], []]) {
        answer.writeInt32(list.length);
        for (const replica of list) answer.writeInt32(replica);
      }
    }
  }

  /** @returns the action that replaces the answer; null when `answer` was written */
  #produce(node: number, body: Buffer, answer: Encoder): 'silent' | 'close' | null {
    // No transactional id (int16), acks int16, timeout int32, one topic: its name, its partitions.
    const topicLength = body.readInt16BE(12);
    let at = 14 + topicLength;
    const partitions = body.readInt32BE(at);
    at += 4;
    answer
      .writeInt32(1)
      .writeString(body.toString('utf8', 14, 14 + topicLength))
      .writeInt32(partitions);
    let instead: 'silent' | 'close' | null = null;
    for (let read = 0; read < partitions; read += 1) {
      const partition = body.readInt32BE(at);
      const sizeBytes = body.readInt32BE(at + 4);
      const batch = body.subarray(at + 8, at + 8 + sizeBytes);
      at += 8 + sizeBytes;
      const one: Arrived = {
        node,
        partition,
        sizeBytes,
        timestampMs: readInt64(batch, 27),
        producerId: readInt64(batch, 43),
        sequence: batch.readInt32BE(53),
        records: batch.readInt32BE(57),
      };
      this.arrived.push(one);
      const fate = this.answer(one);
      if (typeof fate !== 'number') instead = fate;
      const isStored = fate === 0;
      const end = this.#ends[partition] ?? 0;
      if (isStored) this.#ends[partition] = end + one.records;
      answer.writeInt32(partition).writeInt16(typeof fate === 'number' ? fate : 0);
      answer
        .writeInt64(isStored ? end : -1)
        .writeInt64(-1)
        .writeInt64(0);
    }
    answer.writeInt32(0);
    return instead;
  }
}

/** The first topic in a request that starts with topics. */
function topicIn(body: Buffer): string | null {
  if (body.readInt32BE(0) < 1) return null;
  return body.toString('utf8', 6, 6 + body.readInt16BE(4));
}
