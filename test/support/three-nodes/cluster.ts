import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { formatNodes, startNode, voter, type KafkaNode } from '../../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../../deploy/kafka/install.mjs';
import { freePort, type Service } from '../../../deploy/kafka/services.mjs';
import { Link } from './link.ts';

/**
 * Three Kafka nodes on this machine that tests may hurt. The parts of this folder:
 *
 * - `cluster.ts`: the nodes; kill -9, restart, pause one, cut it off from clients, from its peers, or from both;
 * - `link.ts`: the proxies in front of them, by which it is cut off;
 * - `requests.ts`: leaders, elections and reassignments, by raw requests that take milliseconds;
 * - `leaders.ts`: who leads, and since when, asked of every node all the time;
 * - `flow.ts`: a steady producer that knows what was acknowledged;
 * - `decisions.ts`: what orderctl decided, and when, read from its logs;
 * - `trial.ts`: all of these around one orderctl, and the books in the end;
 * - `events.ts`: what happens to the cluster during a trial.
 *
 * Tests and the flow go to the nodes directly; orderctl is given the proxies, and Kafka tells it no other address.
 */
export class ThreeNodes {
  readonly nodes: readonly TestNode[];
  readonly #folder: string;

  private constructor(nodes: readonly TestNode[], folder: string) {
    this.nodes = nodes;
    this.#folder = folder;
  }

  static async start(): Promise<ThreeNodes> {
    const installation = { java: findJava(), jars: await installJars(() => undefined) };
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-nodes-'));
    const ids = [1, 2, 3];
    const ports = await Promise.all(
      ids.map(async () => ({
        clients: await linked(),
        peers: await linked(),
        controller: await linked(),
      })),
    );
    const voters = ports
      .map(({ controller }, index) => voter(index + 1, controller.advertisedPort))
      .join(',');
    const settings = ports.map(({ clients, peers, controller }, index): KafkaNode => {
      const id = index + 1;
      return {
        id,
        folder: path.join(folder, String(id)),
        ...clients,
        peers,
        controllerPort: controller.port,
        // A new leader of the controllers names its own address, and the others use that from then on.
        advertisedControllerPort: controller.advertisedPort,
        voters,
      };
    });
    formatNodes(installation, settings);
    const nodes = await Promise.all(
      settings.map(async (node, index) => {
        const links = ports[index];
        if (links === undefined) throw new Error('no links');
        const [clients, peers, controller] = await Promise.all(
          [links.clients, links.peers, links.controller].map((at) => Link.open(at.advertisedPort, at.port)),
        );
        if (clients === undefined || peers === undefined || controller === undefined)
          throw new Error('no link');
        return new TestNode(node.id, node.port, { clients, peers, controller }, () =>
          startNode(installation, node),
        );
      }),
    );
    const cluster = new ThreeNodes(nodes, folder);
    try {
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
    for (const node of this.nodes) {
      await node.kill();
      node.links.peers.close();
      node.links.controller.close();
    }
    fs.rmSync(this.#folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const LOG_LINES = 40;

interface Links {
  readonly clients: Link;
  readonly peers: Link;
  readonly controller: Link;
}

export class TestNode {
  readonly id: number;
  /** Where it really listens: what tests use. */
  readonly port: number;
  readonly links: Links;
  readonly #launch: () => Promise<Service>;
  #service: Service | undefined;

  constructor(id: number, port: number, links: Links, launch: () => Promise<Service>) {
    this.id = id;
    this.port = port;
    this.links = links;
    this.#launch = launch;
  }

  /** What clients are given. */
  get address(): string {
    return `127.0.0.1:${this.links.clients.port}`;
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

  resume(): void {
    this.#service?.signal('SIGCONT');
  }
}

async function linked(): Promise<{ port: number; advertisedPort: number }> {
  return { port: await freePort(), advertisedPort: await freePort() };
}
