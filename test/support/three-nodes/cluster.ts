import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { formatNodes, startNode, type KafkaNode } from '../../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../../deploy/kafka/install.mjs';
import type { Service } from '../../../deploy/kafka/services.mjs';
import type { Machine } from './machine.ts';
import { openLoopback, type Links, type Network, type OpenNetwork, type Place } from './network.ts';

/**
 * Three Kafka nodes on this machine that tests may hurt. The parts of this folder:
 *
 * - `cluster.ts`: the nodes; kill -9, restart, pause one, cut it off from clients, from its peers, or from both;
 * - `network.ts`, `link.ts`: on the loopback, with proxies in front of them, by which it is cut off;
 * - `namespaces.ts`, `machine.ts`: each in a network namespace, its cables pulled, its disk small, its clock another;
 * - `faults.ts`: what can happen to those alone;
 * - `requests.ts`: leaders, elections and reassignments, by raw requests that take milliseconds;
 * - `leaders.ts`: who leads, and since when, asked of every node all the time;
 * - `flow.ts`: a steady producer that knows what was acknowledged;
 * - `decisions.ts`: what orderctl decided, and when, read from its logs;
 * - `books.ts`: stock and outcomes, as they have to be in the end;
 * - `whole-shop.ts`: all services and the API beside it;
 * - `trial.ts`: all of these around one orderctl, and the books in the end;
 * - `events.ts`: what happens to the cluster during a trial.
 *
 * Tests and the flow go to the nodes directly; orderctl is given the proxies, and Kafka tells it no other address.
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

  /** What orderctl is given: all three, node 1 in front. */
  get addresses(): string {
    return this.nodes.map(({ address }) => address).join(',');
  }

  node(id: number): TestNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  /** Nobody reaches these nodes' peers from them, nor they them: clients are served as before. */
  cutFromPeers(cut: readonly number[]): void {
    for (const node of this.nodes) {
      const isCut = cut.includes(node.id);
      // Its own controller is reached by the same way.
      const silence = (from: number | null): boolean =>
        from !== null && from !== node.id && (isCut || cut.includes(from));
      node.links.peers.silence(silence);
      node.links.controller.silence(silence);
    }
  }

  /** Whole again: all run, none is paused or cut off. */
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
  /** Of this machine, where nothing is cut: what tests use. */
  readonly port: number;
  /** What clients are given. */
  readonly address: string;
  readonly links: Links;
  /** Of its own, where it has one. */
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

  /** Once it answers; at once when it runs. */
  async start(): Promise<void> {
    if (this.#service !== undefined) return;
    await this.links.clients.reopen();
    this.#service = await this.#launch();
  }

  /** SIGKILL, and waits for its end. Clients are refused from then on. */
  async kill(): Promise<void> {
    const service = this.#service;
    this.#service = undefined;
    service?.signal('SIGKILL');
    await service?.exited;
    this.links.clients.close();
  }

  /** SIGSTOP: it takes connections and never answers. */
  pause(): void {
    this.#service?.signal('SIGSTOP');
  }

  /** Once it has ended by itself. */
  async ended(): Promise<void> {
    await this.#service?.exited;
    this.#service = undefined;
  }

  resume(): void {
    this.#service?.signal('SIGCONT');
  }
}
