import { expect, onTestFinished } from 'vitest';
import type { DeadLetter } from '../../../src/documents/dead-letter.ts';
import { finish, openShop, type Running, type Shop } from '../cli.ts';
import { withAdmin } from '../topics.ts';
import { waitFor } from '../wait.ts';
import { expectOutcomes, expectStock, leftOf, STOCK } from './books.ts';
import type { ThreeNodes } from './cluster.ts';
import { Decisions, type Decision } from './decisions.ts';
import { Flow, ITEMS, type Acknowledged } from './flow.ts';
import { Leaders, type LeaderChange } from './leaders.ts';
import { describePartitions, NodeConnection } from './requests.ts';
import type { Measured } from './table.ts';
import { MUG, WholeShop } from './whole-shop.ts';

/** After this time without progress, a consumer has stopped for good. */
const HUNG_MS = 60_000;
/** The whole shop creates some thirty topics, on three nodes and a busy machine. */
const BEGIN_TIMEOUT_MS = 180_000;
/** By the contract, plus a second for a process to start and exit on a busy machine. */
const STOP_TIMEOUT_MS = 15_000;

export interface TrialOptions {
  readonly partitions?: number;
  readonly configs?: Readonly<Record<string, string>>;
  /** Orders a second; 0 is no flow. */
  readonly perSecond?: number;
  /** With all services and the API. */
  readonly isWhole?: boolean;
}

/** A shop on these nodes, with its topics created. */
export async function openThreeNodeShop(
  cluster: ThreeNodes,
  options: TrialOptions = {},
  env: Readonly<Record<string, string>> = {},
): Promise<Shop> {
  const { partitions = 6, configs = {} } = options;
  const shop = openShop({ ORDERCTL_BROKERS: cluster.addresses, ...env });
  // Written directly instead of by four commands: each start takes half a second on a busy machine.
  shop.write('users.csv', 'user,status\nalice,paid\nbob,unpaid\n');
  shop.write('inventory.csv', `item,quantity\n${ITEMS.map((item) => `${item},${STOCK}\n`).join('')}`);
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const topics = [
    { topic: shop.topic, numPartitions: partitions, configEntries },
    { topic: shop.dlqTopic, numPartitions: partitions },
  ];
  await withAdmin((admin) => admin.createTopics({ topics, waitForLeaders: false }), cluster.node(1).address);
  for (const node of cluster.nodes) {
    const connection = new NodeConnection(node.port);
    for (const { topic } of topics) {
      await waitFor(
        `node ${node.id} to know ${topic}`,
        () => describePartitions(connection, topic),
        (found) => found.length === partitions && found.every(({ leader }) => leader >= 0),
      );
    }
    connection.close();
  }
  return shop;
}

/** A shop on three nodes: `consume` with a steady flow of orders, and the observed state of both. */
export class Trial {
  readonly cluster: ThreeNodes;
  readonly shop: Shop;
  readonly leaders: Leaders;
  readonly flow: Flow;
  readonly decisions: Decisions;
  consumer: Running;
  readonly measured: Measured[] = [];
  readonly #command: string;
  #whole: WholeShop | undefined;

  private constructor(
    cluster: ThreeNodes,
    shop: Shop,
    { perSecond, command }: { readonly perSecond: number; readonly command: string },
  ) {
    this.cluster = cluster;
    this.shop = shop;
    this.leaders = new Leaders(cluster, shop.topic);
    this.flow = new Flow(cluster, this.leaders, shop.topic, perSecond);
    this.decisions = new Decisions(shop.storage);
    this.#command = command;
    this.consumer = shop.start(command);
    onTestFinished(async () => {
      this.flow.abandon();
      await this.leaders.stop();
    });
  }

  static async start(cluster: ThreeNodes, options: TrialOptions = {}): Promise<Trial> {
    const { perSecond = 700 } = options;
    if (options.isWhole === true) return Trial.#startWhole(cluster, options, perSecond);
    const shop = await openThreeNodeShop(cluster, options);
    const trial = new Trial(cluster, shop, { perSecond, command: 'consume' });
    await trial.#begun(perSecond);
    return trial;
  }

  static async #startWhole(cluster: ThreeNodes, options: TrialOptions, perSecond: number): Promise<Trial> {
    const { gateway, env } = await WholeShop.settings();
    const shop = await openThreeNodeShop(cluster, options, env);
    await shop.ok(`inventory add --item ${MUG} --quantity ${STOCK} --price 1.00`);
    const trial = new Trial(cluster, shop, { perSecond, command: WholeShop.command });
    await trial.#begun(perSecond);
    trial.#whole = await WholeShop.open(shop, gateway);
    return trial;
  }

  async #begun(perSecond: number): Promise<void> {
    await this.#reads();
    await this.leaders.until('leaders', ({ leader }) => leader >= 0);
    if (perSecond > 0) await this.decides();
  }

  /** Waits until it reads. */
  async #reads(): Promise<void> {
    await this.consumer.says(/consuming|delivery reads/, BEGIN_TIMEOUT_MS);
  }

  /** Waits until a record that is acknowledged from now on is decided, in each of these partitions. */
  async decides(partitions = this.leaders.partitions.map(({ partition }) => partition)): Promise<Found[]> {
    const at = Date.now();
    return this.#decided(partitions.map((partition) => ({ partition, at })));
  }

  /**
   * Does something to the cluster, waits until orders of every partition are decided again, and records how long that
   * took: from the moment when a new leader was known or, if `hurt` names a node that kept its partitions, from the end
   * of `act`.
   */
  async during(kind: string, act: () => Promise<void>, hurt: readonly number[] = []): Promise<void> {
    const usual = await this.decides();
    const first = this.leaders.changes.length;
    const kept = hurt.flatMap((node) => this.leaders.ledBy(node));
    const began = Date.now();
    await act();
    const ended = Date.now();
    const moved = this.leaders.changes.slice(first);
    const moments = [
      ...lastOfEach(moved),
      ...kept
        .filter((partition) => !moved.some((change) => change.partition === partition))
        .map((partition) => ({ partition, at: ended })),
    ];
    const touched = new Set(moments.map(({ partition }) => partition));
    const others = this.leaders.partitions.filter(({ partition }) => !touched.has(partition));
    const found = await this.#decided(moments);
    await this.decides();
    this.measured.push({
      kind,
      usualMs: Math.max(0, ...usual.map(({ record, decision }) => decision.at - record.at)),
      nextDecisionMs: found.map(({ moment, decision }) => decision.at - moment.at),
      nextRecordMs: found.map(({ moment, record }) => record.at - moment.at),
      othersMs: others.map(({ partition }) => this.#longestWait(partition, began, ended)),
    });
  }

  /**
   * Stops the flow and the consumer, and requires that each acknowledged order was decided once, that the stock is
   * correct, and that `audit` agrees, also with --topic.
   */
  async balance(): Promise<void> {
    await this.flow.stop();
    const placed = (await this.#whole?.stop()) ?? [];
    const ids = new Set([...this.flow.ids(), ...placed]);
    await this.#whileItRuns(
      waitFor(
        'all that was acknowledged to be decided',
        () => this.decisions.count,
        (count) => count >= ids.size,
        { timeoutMs: HUNG_MS },
      ),
    );
    await this.stopConsumer();
    await this.leaders.stop();
    const decided = this.decisions.ids();
    expect(decided.length, 'an order is decided once').toBe(ids.size);
    expect(new Set(decided)).toEqual(ids);
    expectOutcomes(this.shop, ids);
    if (this.#whole === undefined) await this.audit();
    else await this.#whole.expectEven(this.cluster.node(1).address, leftOf(this.shop, [...ITEMS, MUG]));
    const [summary] = await this.shop.lines('consume --until-end --quiet');
    expect(summary).toMatchObject({ accepted: 0, rejected: 0, dead_lettered: 0 });
    const lines = await this.shop.lines('dlq list');
    const letters = lines.filter(({ type }) => type === 'dead_letter') as unknown as readonly DeadLetter[];
    const places = letters.map(({ original: { partition, offset } }) => `${partition}:${offset}`);
    expect(new Set(places).size, 'a bad record is a dead letter once').toBe(places.length);
    // More than one if an order was stored twice and its first copy was not acknowledged.
    expect(places).toEqual(expect.arrayContaining(this.flow.badPlaces()));
  }

  /** Stock is what was put in less what was sold, and `audit` agrees, for the files and the topic. */
  async audit(): Promise<void> {
    expectStock(this.shop);
    // The audit with the topic includes everything in the plain audit.
    await this.shop.ok('audit --with-topic');
  }

  async stopConsumer(): Promise<void> {
    this.consumer.signal('SIGTERM');
    const { code, stderr } = await finish(this.consumer, 'consume', STOP_TIMEOUT_MS);
    expect(code, stderr).toBe(0);
  }

  async restartConsumer(): Promise<void> {
    await this.stopConsumer();
    this.consumer = this.shop.start(this.#command);
    await this.#reads();
  }

  async #decided(moments: readonly Moment[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const moment of moments) {
      const { partition, at } = moment;
      const record = await this.#eventually(`an order of partition ${partition} to be acknowledged`, () =>
        this.flow.firstSince(partition, at),
      );
      const what = `the order of partition ${partition} at offset ${record.offset} to be decided`;
      const decision = await this.#eventually(what, () => this.decisions.from(partition, record.offset));
      found.push({ moment, record, decision });
    }
    return found;
  }

  async #eventually<T>(what: string, read: () => T | undefined): Promise<T> {
    const value = await this.#whileItRuns(waitFor(what, read, Boolean, { timeoutMs: HUNG_MS }));
    if (value === undefined) throw new Error(`waited for ${what}, and there is none`);
    return value;
  }

  /** @throws Error with the consumer's output, when `waiting` fails or the consumer exits meanwhile */
  async #whileItRuns<T>(waiting: Promise<T>): Promise<T> {
    const said = () => `the consumer said:\n${this.consumer.stderr().slice(-3_000)}`;
    const ended = this.consumer.exited.then(({ code, signal }) => {
      throw new Error(`the consumer ended with ${code ?? signal ?? '?'}; ${said()}`);
    });
    ended.catch(() => undefined);
    try {
      return await Promise.race([waiting, ended]);
    } catch (error) {
      waiting.catch(() => undefined);
      throw new Error(`${error instanceof Error ? error.message : String(error)}\n${said()}`, {
        cause: error,
      });
    }
  }

  /** The longest wait among the orders that were acknowledged meanwhile. */
  #longestWait(partition: number, began: number, ended: number): number {
    const waits = this.flow.between(partition, began, ended).map((record) => {
      const decision = this.decisions.from(partition, record.offset);
      return (decision?.at ?? Date.now()) - record.at;
    });
    return Math.max(0, ...waits);
  }
}

interface Moment {
  readonly partition: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface Found {
  readonly moment: Moment;
  readonly record: Acknowledged;
  readonly decision: Decision;
}

/** The last change of each partition that gave it a leader. */
function lastOfEach(changes: readonly LeaderChange[]): LeaderChange[] {
  const led = changes.filter(({ leader }) => leader >= 0);
  return [...new Map(led.map((change) => [change.partition, change])).values()];
}
