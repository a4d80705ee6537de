import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { formatNodes, startNode, type KafkaNode } from '../../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../../deploy/kafka/install.mjs';
import type { Service } from '../../../deploy/kafka/services.mjs';
import type { Machine } from './machine.ts';
import { openLoopback, type Links, type Network, type OpenNetwork, type Place } from './network.ts';

/**
 * Three Kafka nodes on this machine that tests may damage. The parts of this folder:
 *
 * - `cluster.ts`: the nodes; kill -9, restart, pause a node, cut it off from clients, from its peers, or from both;
 * - `network.ts`, `link.ts`: on the loopback, with proxies in front of the nodes, which cut them off;
 * - `namespaces.ts`, `machine.ts`: each in a network namespace, with cables to pull, a small disk, and its own clock;
 * - `faults.ts`: faults that are possible only in namespaces;
 * - `requests.ts`: leaders, elections and reassignments, by raw requests that take milliseconds;
 * - `leaders.ts`: the leaders, and since when, from constant requests to every node;
 * - `flow.ts`: a steady producer that knows what was acknowledged;
 * - `decisions.ts`: what orderctl decided, and when, read from its logs;
 * - `books.ts`: the required final stock and outcomes;
 * - `whole-shop.ts`: all services and the API alongside;
 * - `trial.ts`: all of these around one orderctl, and the final check of the books;
 * - `events.ts`: what happens to the cluster during a trial.
 *
 * Tests and the flow connect to the nodes directly; orderctl connects to the proxies, and Kafka gives it no other
 * address.
 */
export class ThreeNodes {
  readonly nodes: readonly TestNode[];
  readonly #folder: string;
  readonly #network: Network;

  private constructor(nodes: readonly TestNode[], folder: string, network: Network) {
    this.nodes = nodes;
    this.#folder = folder;
    this.#network = network;
  }

  static async start(open: OpenNetwork = openLoopback): Promise<ThreeNodes> {
    const installation = { java: findJava(), jars: await installJars(() => undefined) };
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-nodes-'));
    const network = await open([1, 2, 3], { folder, java: installation.java });
    const voters = network.places.map(({ voter }) => voter).join();
    const settings = network.places.map(({ id, at }): KafkaNode => ({
      id,
      folder: path.join(folder, String(id)),
      voters,
      ...at,
    }));
    const nodes = network.places.map((place, index) => {
      const node = settings[index];
      if (node === undefined) throw new Error('no settings');
      return new TestNode(place, () => startNode({ ...installation, java: place.java }, node));
    });
    const cluster = new ThreeNodes(nodes, folder, network);
    try {
      formatNodes(installation, settings);
      await Promise.all(nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** The addresses for orderctl: all three nodes, node 1 first. */
  get addresses(): string {
    return this.nodes.map(({ address }) => address).join(',');
  }

  node(id: number): TestNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Cuts the connections between these nodes and their peers: clients are served as before. */
  cutFromPeers(cut: readonly number[]): void {
    for (const node of this.nodes) {
      const isCut = cut.includes(node.id);
      // Its own controller is reached in the same way.
      const silence = (from: number | null): boolean =>
        from !== null && from !== node.id && (isCut || cut.includes(from));
      node.links.peers.silence(silence);
      node.links.controller.silence(silence);
    }
  }

  /** Repairs everything: all nodes run, none is paused or cut off. */
  async heal(): Promise<void> {
    for (const node of this.nodes) {
      node.resume();
      node.links.clients.heal();
    }
    this.cutFromPeers([]);
    await Promise.all(this.nodes.map((node) => node.start()));
  }

  /** The last lines of each node's log, for a test that failed. */
  logs(): string {
    return this.nodes
      .map(({ id }) => {
        const lines = fs.readFileSync(path.join(this.#folder, String(id), 'kafka.log'), 'utf8').split('\n');
        return [`node ${id}:`, ...lines.slice(-LOG_LINES).map((line) => line.slice(0, 300))].join('\n');
      })
      .join('\n');
  }

  async stop(): Promise<void> {
    for (const node of this.nodes) await node.kill();
    this.#network.close();
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const LOG_LINES = 40;

export class TestNode {
  readonly id: number;
  /** The address on this machine that is never cut: for tests. */
  readonly port: number;
  /** The address for clients. */
  readonly address: string;
  readonly links: Links;
  /** The node's machine, if it has its own. */
  readonly machine: Machine | undefined;
  readonly #launch: () => Promise<Service>;
  #service: Service | undefined;

  constructor({ id, at, address, links, machine }: Place, launch: () => Promise<Service>) {
    this.id = id;
    this.port = at.port;
    this.address = address;
    this.links = links;
    this.machine = machine;
    this.#launch = launch;
  }

  get runs(): boolean {
    return this.#service !== undefined;
  }

  /** Resolves once it answers; at once when it runs already. */
  async start(): Promise<void> {
    if (this.#service !== undefined) return;
    await this.links.clients.reopen();
    this.#service = await this.#launch();
  }

  /** Sends SIGKILL and waits for the exit. Clients are refused from then on. */
  async kill(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    service?.signal('SIGKILL');
    await service?.exited;
    this.links.clients.close();
  }

  /** SIGSTOP: it accepts connections and never answers. */
  pause(): void {
    this.#service?.signal('SIGSTOP');
  }

  /** Resolves once it has exited by itself. */
  async ended(): Promise<void> {
    await this.#service?.exited;
    this.#service = undefined;
  }

  resume(): void {
    this.#service?.signal('SIGCONT');
  }
}
