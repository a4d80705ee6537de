import { expect, onTestFinished } from 'vitest';
import { finish, openShop, type Running, type Shop } from '../cli.ts';
import { withAdmin } from '../topics.ts';
import { waitFor } from '../wait.ts';
import type { ThreeNodes } from './cluster.ts';
import { Decisions, type Decision } from './decisions.ts';
import { Flow, ITEMS, type Acknowledged } from './flow.ts';
import { Leaders, type LeaderChange } from './leaders.ts';
import { describePartitions, NodeConnection } from './requests.ts';
import type { Measured } from './table.ts';

/** Never sold out: the sum tells of every unit that was deducted twice or not at all. */
const STOCK = 10_000_000;
/** After which a consumer has stopped for good. */
const HUNG_MS = 60_000;
/** By the contract, and a second for a process to start and end on a busy machine. */
const STOP_TIMEOUT_MS = 15_000;

export interface TrialOptions {
  readonly partitions?: number;
  readonly configs?: Readonly<Record<string, string>>;
  /** Orders a second; 0 is no flow. */
  readonly perSecond?: number;
}

/** A shop on these nodes, its topics made. */
export async function openThreeNodeShop(cluster: ThreeNodes, options: TrialOptions = {}): Promise<Shop> {
  const { partitions = 6, configs = {} } = options;
  const shop = openShop({ ORDERCTL_BROKERS: cluster.addresses });
  // Written, not added by four commands: a start takes half a second on a busy machine.
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

/** A shop on three nodes: `consume` beside a steady flow of orders, and what is to be seen of both. */
export class Trial {
  readonly cluster: ThreeNodes;
  readonly shop: Shop;
  readonly leaders: Leaders;
  readonly flow: Flow;
  readonly decisions: Decisions;
  consumer: Running;
  readonly measured: Measured[] = [];

  private constructor(cluster: ThreeNodes, shop: Shop, perSecond: number) {
    this.cluster = cluster;
    this.shop = shop;
    this.leaders = new Leaders(cluster, shop.topic);
    this.flow = new Flow(cluster, this.leaders, shop.topic, perSecond);
    this.decisions = new Decisions(shop.storage);
    this.consumer = shop.start('consume');
    onTestFinished(async () => {
      this.flow.abandon();
      await this.leaders.stop();
    });
  }

  static async start(cluster: ThreeNodes, options: TrialOptions = {}): Promise<Trial> {
    const { perSecond = 700 } = options;
    const shop = await openThreeNodeShop(cluster, options);
    const trial = new Trial(cluster, shop, perSecond);
    await trial.consumer.says(/consuming/);
    await trial.leaders.until('leaders', ({ leader }) => leader >= 0);
    if (perSecond > 0) await trial.decides();
    return trial;
  }

  /** Waits until a record that is acknowledged from now on is decided, in each of these partitions. */
  async decides(partitions = this.leaders.partitions.map(({ partition }) => partition)): Promise<void> {
    const at = Date.now();
    await this.#decided(partitions.map((partition) => ({ partition, at })));
  }

  /**
   * Does something to the cluster, waits for orders of every partition to be decided again, and notes how long that
   * took: from the moment when a new leader was known, or, where `hurt` names a node that kept its partitions,
   * from `act`'s end.
   */
  async during(kind: string, act: () => Promise<void>, hurt: readonly number[] = []): Promise<void> {
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
      nextDecisionMs: found.map(({ moment, decision }) => decision.at - moment.at),
      nextRecordMs: found.map(({ moment, record }) => record.at - moment.at),
      othersMs: others.map(({ partition }) => this.#longestWait(partition, began, ended)),
    });
  }

  /**
   * Stops the flow and the consumer, and demands that each acknowledged order was decided once, stock is what is left,
   * and `audit` says so too, of the topic as well.
   */
  async balance(): Promise<void> {
    await this.flow.stop();
    const ids = this.flow.ids();
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
    await this.audit();
    const [summary] = await this.shop.lines('consume --until-end --quiet');
    expect(summary).toMatchObject({ accepted: 0, rejected: 0, dead_lettered: 0 });
    const letters = await this.shop.lines('dlq list');
    const places = letters.flatMap(({ original }) =>
      original === undefined ? [] : [JSON.stringify(original)],
    );
    expect(new Set(places).size, 'a bad record is a dead letter once').toBe(places.length);
    expect(places.length).toBeGreaterThanOrEqual(this.flow.badCount());
  }

  /** Stock is what was put in less what was sold, and `audit` agrees, of the files and of the topic. */
  async audit(): Promise<void> {
    expectStock(this.shop);
    // The topic's audit does all that the plain one does.
    await this.shop.ok('audit --with-topic');
  }

  async stopConsumer(): Promise<void> {
    this.consumer.signal('SIGTERM');
    const { code, stderr } = await finish(this.consumer, 'consume', STOP_TIMEOUT_MS);
    expect(code, stderr).toBe(0);
  }

  async restartConsumer(): Promise<void> {
    await this.stopConsumer();
    this.consumer = this.shop.start('consume');
    await this.consumer.says(/consuming/);
  }

  async #decided(moments: readonly Moment[]): Promise<Found[]> {
    const found: Found[] = [];
    for (const moment of moments) {
      const waiting = waitFor(
        `an order of partition ${moment.partition} to be decided`,
        () => this.#next(moment),
        (next) => next !== undefined,
        { timeoutMs: HUNG_MS },
      );
      const next = await this.#whileItRuns(waiting);
      if (next !== undefined) found.push(next);
    }
    return found;
  }

  /** @throws Error with what the consumer said, when `waiting` fails or the consumer ends meanwhile */
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

  /** The first decision of what was acknowledged after a moment. */
  #next(moment: Moment): Found | undefined {
    const record = this.flow.firstSince(moment.partition, moment.at);
    if (record === undefined) return undefined;
    const decision = this.decisions.from(record.partition, record.offset);
    return decision === undefined ? undefined : { moment, record, decision };
  }

  /** Of the orders acknowledged meanwhile, how long the one waited that waited longest. */
  #longestWait(partition: number, began: number, ended: number): number {
    const waits = this.flow.between(partition, began, ended).map((record) => {
      const decision = this.decisions.from(partition, record.offset);
      return (decision?.at ?? Date.now()) - record.at;
    });
    return Math.max(0, ...waits);
  }
}

/** Stock is what was put in less what was sold. */
export function expectStock(shop: Shop): void {
  const stock: Record<string, number> = Object.fromEntries(ITEMS.map((item) => [item, STOCK]));
  for (const { items } of shop.jsonl('orders.jsonl')) {
    for (const { item, quantity } of items) stock[item] = (stock[item] ?? 0) - quantity;
  }
  expect(shop.stock()).toEqual(stock);
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

/** Each partition's last change that gave it a leader. */
function lastOfEach(changes: readonly LeaderChange[]): LeaderChange[] {
  const led = changes.filter(({ leader }) => leader >= 0);
  return [...new Map(led.map((change) => [change.partition, change])).values()];
}
