import { setTimeout as sleep } from 'node:timers/promises';
import { isoTime } from '../../domain/iso-time.ts';
import { audit } from '../../app/audit/audit.ts';
import { readOrigin } from '../../app/dlq/headers.ts';
import { readCheckoutOrder } from '../../app/orders/checkout.ts';
import { sampleOrders } from '../../app/send/produce.ts';
import { openBroker, openCodec, openIds, systemClock } from '../../compose.ts';
import type { EditRequest } from '../../domain/edit.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { isErased } from '../../domain/names.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker, Producer, RecordRange, SendRecord, SentRecord } from '../../ports/broker.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { Stage, StagePart } from '../../app/experiments/stage.ts';
import { ownGateway } from './own-gateway.ts';
import type { Part } from './part.ts';

const LOOK_EVERY_MS = 20;
const ASK_AGAIN_MS = 200;
const FINAL: ReadonlySet<string> = new Set(['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED']);

export interface StageOptions {
  readonly access: StoreAccess;
  readonly parts: Readonly<Record<StagePart, readonly Part[]>>;
  /** The URL of the API. */
  readonly url: string;
  readonly brokers: string;
  readonly registry: string;
  /** URL of the shop's own gateway; null if it uses another one. */
  readonly gateway: string | null;
  readonly topic: string;
  readonly dlqTopic: string;
  readonly users: 'required' | 'optional';
}

/** The shop of `up` during one experiment. */
export class ShopStage implements Stage, AsyncDisposable {
  readonly gateway: Stage['gateway'];
  readonly newId: () => string;
  readonly #options: StageOptions;
  readonly #broker: Broker;
  readonly #codec: OrderCodec;
  #producer: Producer | null = null;

  private constructor(
    options: StageOptions,
    made: { broker: Broker; codec: OrderCodec; newId: () => string },
  ) {
    this.#options = options;
    this.#broker = made.broker;
    this.#codec = made.codec;
    this.newId = made.newId;
    this.gateway = options.gateway === null ? null : ownGateway(options.gateway);
  }

  /** Does not connect to anything yet. */
  static async open(options: StageOptions): Promise<ShopStage> {
    const { brokers, registry, topic, users } = options;
    const broker = await openBroker({ brokers: [brokers], tls: null, sasl: null }, () => undefined);
    const codec = await openCodec({ url: registry, credentials: null }, { topic, register: true, users });
    const newId = await openIds();
    return new ShopStage(options, { broker, codec, newId });
  }

  async strike(part: StagePart, how: 'kill' | 'stop', limit: AbortSignal): ReturnType<Stage['strike']> {
    const from = performance.now();
    const targets = this.#options.parts[part];
    const running = targets.filter(({ pid }) => pid !== null);
    if (running.length === 0) throw new Failure('not_found', `${part} does not run at the moment`);
    const ended = running.map((target) => target.end(how === 'kill' ? 'SIGKILL' : 'SIGTERM'));
    const back = Promise.all(ended.map((one) => one.back));
    const lost = new Promise<'lost'>((resolve) => {
      if (limit.aborted) resolve('lost');
      else limit.addEventListener('abort', () => resolve('lost'), { once: true });
    });
    if ((await Promise.race([back, lost])) === 'lost') throw notBack(part);
    // Its processes run; now wait until they report that they work.
    while (part === 'shop' && !(await this.#consume(targets))) {
      if (limit.aborted) throw notBack(part);
      await sleep(LOOK_EVERY_MS);
    }
    return { pids: ended.map(({ pid }) => pid), backMs: performance.now() - from };
  }

  async #consume(parts: readonly Part[]): Promise<boolean> {
    const running = await this.#options.access.consumerStatus().catch(unknownIfFailure);
    const all = running?.instances ?? [{ pid: running?.pid ?? null, state: running?.status.state }];
    return parts.every(({ pid }) => all.some((one) => one.pid === pid && one.state === 'consuming'));
  }

  async orders(random: () => number): Promise<Iterator<Order>> {
    const samples = await sampleOrders(this.#options.access, {
      count: null,
      from: 1,
      random,
      clock: systemClock,
      newOrderId: () => '',
    });
    return ordersOf(samples);
  }

  async paidUsers(): Promise<readonly string[]> {
    await using reader = await this.#options.access.read();
    const paid = [...(await reader.users())].filter(({ status, user }) => {
      return status === 'paid' && !user.startsWith('decline-') && !isErased(user);
    });
    if (paid.length > 0) return paid.map(({ user }) => user);
    throw new Failure('not_found', 'no user of this shop has paid', {
      fix: 'add one: orderctl user add alice --status paid',
    });
  }

  async place(order: Order, flow: 'direct' | 'checkout', signal: AbortSignal): Promise<void> {
    const { orderId, user, items, createdAt } = order;
    const body = JSON.stringify({
      order_id: orderId,
      user,
      created_at: isoTime(createdAt),
      items: items.map(({ item, quantity }) => ({ item, quantity })),
      ...(flow === 'direct' ? {} : { shipping_address: 'Experiment Street 1, 12345 Sampleton' }),
    });
    const where = `${this.#options.url}${flow === 'direct' ? '/order' : '/orders'}`;
    while (!signal.aborted) {
      const status = await post(where, body);
      if (status >= 200 && status < 300) return;
      if (status >= 400 && status < 500 && status !== 429) {
        throw new Failure('check_failed', `the API refused order ${orderId} (${status})`);
      }
      await sleep(ASK_AGAIN_MS);
    }
    throw new Failure('check_failed', `the API did not answer for order ${orderId}`);
  }

  encode(orders: readonly Order[]): Promise<readonly Uint8Array[]> {
    return this.#codec.encode(orders);
  }

  async send(records: readonly SendRecord[]): Promise<readonly SentRecord[]> {
    this.#producer ??= await this.#broker.producer();
    const { outcomes, failure } = await this.#producer.send(this.#options.topic, records);
    const places = outcomes.filter((outcome) => typeof outcome === 'object');
    if (places.length === records.length) return places;
    throw failure ?? new Failure('broker_refused', 'the broker did not accept all records');
  }

  async ended(ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    await using reader = await this.#options.access.read();
    for (const id of ids) {
      const decided = await reader.decided(id);
      if (decided !== undefined) {
        found.set(id, decided.outcome.kind === 'accepted' ? 'COMPLETED' : 'REJECTED');
        continue;
      }
      const order = await readCheckoutOrder(reader, id);
      if (order !== undefined && FINAL.has(order.status)) found.set(id, order.status);
    }
    return found;
  }

  async duplicates(): Promise<{ pid: number; count: number } | null> {
    const running = await this.#options.access.consumerStatus().catch(unknownIfFailure);
    if (running == null) return null;
    const { pid, instances = [], status } = running;
    const deciding = instances.find(({ processors }) => processors.includes('orders'));
    return { pid: deciding?.pid ?? pid, count: status.counts.duplicates };
  }

  async watchDeadLetters(): Promise<(of: readonly SentRecord[]) => Promise<number>> {
    const { topic, dlqTopic } = this.#options;
    await using admin = await this.#broker.admin();
    const ranges = async (from: typeof admin) =>
      (await from.partitionCount(dlqTopic)) === undefined ? [] : from.ranges(dlqTopic);
    const before = new Map((await ranges(admin)).map(({ partition, end }) => [partition, end]));
    return async (of) => {
      await using later = await this.#broker.admin();
      const news: RecordRange[] = (await ranges(later)).map(({ partition, start, end }) => {
        return { partition, from: before.get(partition) ?? start, to: end };
      });
      const wanted = new Set(of.map(({ partition, offset }) => `${partition}@${offset}`));
      const found = new Set<string>();
      if (news.length === 0) return 0;
      for await (const { records } of later.records(dlqTopic, news)) {
        for (const { headers } of records) {
          const origin = readOrigin(headers);
          const place = `${origin.partition ?? ''}@${origin.offset ?? ''}`;
          if (origin.topic === topic && wanted.has(place)) found.add(place);
        }
      }
      return found.size;
    };
  }

  async edit(request: EditRequest, why: string): Promise<void> {
    await this.#options.access.edit(request, { via: 'command', why, onNotice: () => undefined });
  }

  async audit(): Promise<number> {
    const options = { topic: null, repair: false, onNotice: () => undefined };
    return (await audit(this.#options.access, options)).total;
  }

  now(): number {
    return systemClock.now();
  }

  async sleep(ms: number): Promise<void> {
    await sleep(ms);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#producer?.[Symbol.asyncDispose]();
  }
}

function* ordersOf(samples: Iterable<{ readonly order: Order }>): Generator<Order, undefined> {
  for (const { order } of samples) yield order;
}

/** Between the end of one process and the start of the next, nothing answers. */
function unknownIfFailure(error: unknown): null {
  if (isFailure(error)) return null;
  throw error;
}

function notBack(part: StagePart): Failure {
  return new Failure('check_failed', `${part} did not come back in time`);
}

/** @returns the status; 0 if there is no answer, or none that reports the outcome */
async function post(url: string, body: string): Promise<number> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(10_000) });
    await response.arrayBuffer();
    return response.status;
  } catch {
    return 0;
  }
}
