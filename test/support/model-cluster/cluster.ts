import net, { type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Frames } from '../../../src/dev-broker/frames.ts';
import { Reader } from '../../../src/dev-broker/wire/reader.ts';
import { Writer } from '../../../src/dev-broker/wire/writer.ts';
import { Model, type Replica } from './model.ts';
import { answer, API } from './requests.ts';

/** How long a Fetch without new records is held. */
const FETCH_WAIT_MS = 30;
const MAX_FRAME_BYTES = 1 << 20;

/** One node of the model: a server on loopback that answers from the model. */
export class ModelNode {
  readonly id: number;
  readonly server = net.createServer((socket) => this.#serve(socket));
  readonly sockets = new Set<net.Socket>();
  readonly #cluster: ModelCluster;
  /** Accepts all requests and answers none. */
  isSilent = false;
  /** The partitions as it knew them when it was cut off from the other nodes. */
  view: readonly Replica[] | undefined;

  constructor(id: number, cluster: ModelCluster) {
    this.id = id;
    this.#cluster = cluster;
  }

  get port(): number {
    return (this.server.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Keeps answering from its present state, whatever the other nodes do. */
  cutOff(): void {
    this.view = structuredClone(this.#cluster.model.partitions);
  }

  heal(): void {
    this.view = undefined;
  }

  /** Ends all connections. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  #serve(socket: net.Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => undefined);
    const frames = new Frames();
    let tail = Promise.resolve();
    socket.on('data', (chunk) => {
      frames.push(chunk);
      for (let frame = frames.next(MAX_FRAME_BYTES); frame; frame = frames.next(MAX_FRAME_BYTES)) {
        const request = frame;
        // Like a broker: the requests of a connection are handled one after the other.
        tail = tail.then(() => this.#answer(socket, request));
      }
    });
  }

  async #answer(socket: net.Socket, frame: Buffer): Promise<void> {
    const cluster = this.#cluster;
    const key = frame.readInt16BE(0);
    cluster.asked.push({ node: this.id, key });
    let bytes = this.#write(frame);
    if (key === API.fetch && !bytes.isNews) {
      await sleep(FETCH_WAIT_MS);
      bytes = this.#write(frame);
    }
    // Encoded before, sent late: its content may be out of date.
    await sleep(cluster.delayMs(this.id, key));
    if (this.isSilent || socket.destroyed) return;
    for (const chunk of bytes.chunks) socket.write(chunk);
  }

  #write(frame: Buffer): { chunks: Buffer[]; isNews: boolean } {
    const cluster = this.#cluster;
    const reader = new Reader(frame);
    const writer = new Writer();
    const key = reader.int16();
    const version = reader.int16();
    writer.int32(reader.int32());
    reader.nullableString();
    const isFlexible = key === API.metadata && version >= 9;
    reader.flexible = writer.flexible = isFlexible;
    if (isFlexible) {
      reader.skipTags();
      writer.int8(0);
    }
    const isNews = answer(key, version, reader, writer, {
      id: this.id,
      model: cluster.model,
      nodes: cluster.nodes.filter((node) => !cluster.down.has(node.id)),
      partitions: this.view ?? cluster.model.partitions,
      trouble: (partition) => cluster.trouble(partition),
      groupTrouble: (asked) => cluster.groupTrouble(asked),
      readsOverGaps: cluster.readsOverGaps,
      metadataVersion: cluster.metadataVersion,
    });
    if (isFlexible) writer.int8(0);
    return { chunks: writer.finish(), isNews };
  }
}

/** A cluster of a few nodes in this process that the test controls, and that answers by the protocol. */
export class ModelCluster implements AsyncDisposable {
  readonly model: Model;
  readonly nodes: ModelNode[];
  /** Nodes that the metadata does not list. */
  readonly down = new Set<number>();
  /** Every request, in order. */
  readonly asked: { node: number; key: number }[] = [];
  readsOverGaps = false;
  /** The newest version of Metadata that is offered. */
  metadataVersion: 7 | 10 = 10;
  /** The delay of an answer. */
  delayMs: (node: number, key: number) => number = () => 0;
  /** An error code for a partition of a Fetch, or 0. */
  trouble: (partition: number) => number = () => 0;
  /** An error code for a request of the group, by its API key, or 0. */
  groupTrouble: (key: number) => number = () => 0;

  private constructor(topics: readonly string[], partitions: number, nodes: number) {
    this.model = new Model(topics, partitions, nodes);
    this.nodes = Array.from({ length: nodes }, (_, index) => new ModelNode(index + 1, this));
  }

  static async start(
    options: { topics?: readonly string[]; partitions?: number; nodes?: number } = {},
  ): Promise<ModelCluster> {
    const { topics = ['orders'], partitions = 6, nodes = 3 } = options;
    const cluster = new ModelCluster(topics, partitions, nodes);
    await Promise.all(
      cluster.nodes.map(
        ({ server }) => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)),
      ),
    );
    return cluster;
  }

  get addresses(): string[] {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`);
  }

  node(id: number): ModelNode {
    const found = this.nodes[id - 1];
    if (found === undefined) throw new Error(`no node ${id}`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) {
      node.hangUp();
      node.server.close();
    }
  }
}
