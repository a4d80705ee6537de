import { EffectWorker } from '../../src/app/run/effects.ts';
import { paymentPerformers } from '../../src/app/run/performers/payment.ts';
import { newEffect, type Answered, type Effect } from '../../src/domain/effects.ts';
import { newFact } from '../../src/domain/facts.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { Store } from '../../src/ports/store.ts';
import type { PaymentFields } from '../../src/processors/payment/effects.ts';
import type { EffectHandler } from '../../src/processors/processor.ts';
import { turn } from './manual-clock.ts';
import type { Truth } from './oracle.ts';
import { HAPPENED } from './parts.ts';
import type { World } from './world.ts';

/*
 * Money that is owed and moved by the workers of the program itself: several debts are due at one instant, several workers
 * want them at once, and an owner of the folder falls asleep in the middle of it, so that the next one takes over. Whatever
 * crashes, each is paid once.
 */

export interface AtOnce {
  /** How many are due at one instant. */
  readonly owed: number;
  /** How many a worker has in flight at most. */
  readonly atOnce: number;
  /** How many owners fall asleep before one is done, each at so many calls of the gateway. */
  readonly sleepAt: readonly number[];
  /** Which requests of each owner have their answers lost. */
  readonly loses: readonly number[];
  /** Whether an owner sleeps until the gateway has forgotten the keys. */
  readonly expires: boolean;
}

const KIND = 'refund';
const WORKERS = 2;
const KEY_TTL_MS = 86_400_000;
/** Of the event loop, in which workers are done, or asleep. */
const MOST_TURNS = 1_000;
/** Until all that a paused process does without waiting is done. */
const TURNS_TO_SLEEP = 3;

const isOurs = (id: string): boolean => id.startsWith('g-');

export function isOwed({ parts }: Truth): boolean {
  return [...parts.effects.keys()].some(isOurs);
}

/** Those that were paid, in the order of their answers. */
export function paidIn({ parts }: Truth): readonly string[] {
  return parts.facts.flatMap((fact) => (isOurs(fact) ? [fact.slice(0, fact.indexOf(' '))] : []));
}

export async function performAtOnce(world: World, step: AtOnce): Promise<void> {
  await owe(world, step.owed);
  const asleep: Workers[] = [];
  for (const sleepAt of step.sleepAt) {
    const workers = new Workers(world, step, sleepAt);
    if (!(await workers.fallAsleep())) break;
    asleep.push(workers);
    if (step.expires) expire(world);
    await world.open('command');
    await world.settle();
  }
  await payAll(world, step);
  for (const workers of asleep) await workers.wakeUp();
  if (asleep.length > 0) await world.restart();
}

/** The owner of the folder pays what is owed. */
export async function payAll(world: World, how: Omit<AtOnce, 'owed'>): Promise<void> {
  if (!isOwed(world.truth)) return;
  const workers = new Workers(world, how, Infinity);
  await workers.end();
}

/** So much time passes that the gateway knows no key any more. */
export function expire(world: World): void {
  world.clock.time += KEY_TTL_MS;
  world.gateway.forgetKeys();
}

async function owe(world: World, count: number): Promise<void> {
  const { truth, store, clock } = world;
  const number = truth.parts.calls + 1;
  const ids = Array.from({ length: count }, (_, at) => `g-${number}-${at}`);
  const effects = new Map(truth.parts.effects);
  for (const id of ids) effects.set(id, { state: 'due', attempts: 0, owner: 0 });
  const after = { ...truth, parts: { ...truth.parts, calls: number, effects } };
  world.truths = [truth, after];
  await store.transact({}, () => ({
    changes: {
      effects: ids.map((id) =>
        newEffect({ id, kind: KIND, key: `k-${id}`, fields: fieldsOf(id) }, clock.now()),
      ),
    },
    result: null,
  }));
  world.truths = [after];
}

function fieldsOf(order: string): PaymentFields {
  return {
    order_id: order,
    customer_id: 'alice',
    amount: '2.50',
    reason: null,
    only_look_up: false,
    may_have_moved: false,
    may_be_refunded: false,
    answered: 0,
    source: '',
    message: {},
    record: { topic: '', partition: 0, offset: 0 },
    traceparent: null,
  };
}

/** Those of one process, which owns the folder. */
class Workers {
  readonly #world: World;
  readonly #store: World['store'];
  readonly #process: World['process'];
  readonly #stop = new AbortController();
  readonly #ended: Promise<unknown>;
  #failure: Error | undefined;
  #isAsleep = false;

  /** @param sleepAt the call of the gateway at which the process is paused */
  constructor(world: World, { atOnce, loses }: Omit<AtOnce, 'owed'>, sleepAt: number) {
    this.#world = world;
    this.#store = world.store;
    this.#process = world.process;
    const { clock } = this.#process;
    let calls = 0;
    const gateway = world.gateway.reachedBy(async (what) => {
      if (world.process === this.#process) world.atCall(what);
      calls += 1;
      if (calls === sleepAt) {
        this.#isAsleep = true;
        this.#process.pause();
      }
      await clock.sleep(0);
    }, new Set(loses));
    const performers = paymentPerformers({ gateway: { ...gateway, atOnce }, clock, keyTtlMs: KEY_TTL_MS });
    const known = new KnownStore(world);
    const workers = Array.from(
      { length: WORKERS },
      () =>
        new EffectWorker({
          store: known.store,
          clock,
          processor: 'payment',
          kinds: [KIND],
          performers,
          handler: known.handler,
          on: () => undefined,
          onSettled: () => undefined,
        }),
    );
    this.#ended = Promise.all(workers.map((worker) => worker.run(this.#stop.signal))).catch(
      (error: unknown) => {
        this.#failure = error instanceof Error ? error : new Error(String(error));
      },
    );
  }

  /** @returns false: it was done before */
  async fallAsleep(): Promise<boolean> {
    await this.#until(() => this.#isAsleep || !this.#isAnyOwed());
    if (!this.#isAsleep) {
      await this.end();
      return false;
    }
    for (let turns = 0; turns < TURNS_TO_SLEEP; turns++) await turn();
    return true;
  }

  /** Another has owned the folder since: nothing that it does counts. */
  async wakeUp(): Promise<void> {
    this.#isAsleep = false;
    this.#process.wake();
    this.#stop.abort();
    await this.#ended;
    if (this.#failure !== undefined && !isFailure(this.#failure, 'folder_in_use')) throw this.#failure;
    await this.#store[Symbol.asyncDispose]().catch((error: unknown) => {
      if (!isFailure(error, 'folder_in_use')) throw error;
    });
  }

  async end(): Promise<void> {
    await this.#until(() => !this.#isAnyOwed());
    this.#stop.abort();
    await this.#ended;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #isAnyOwed(): boolean {
    const { truths } = this.#world;
    return truths.length > 1 || truths.some(isOwed);
  }

  async #until(isSo: () => boolean): Promise<void> {
    for (let turns = 0; !isSo(); turns++) {
      if (this.#failure !== undefined) throw this.#failure;
      if (turns > MOST_TURNS) throw new Error('what is owed is not paid');
      await turn();
    }
  }
}

/** What a commit may come to: one truth, or one of several that is known once it is over. */
type Change = (truth: Truth) => readonly Truth[];

interface Settled {
  readonly change: Change;
  readonly answered: readonly Answered[];
}

/** The store of one owner, of which is known at each moment what a crash may leave of it. */
class KnownStore {
  readonly store: Store;
  readonly handler: EffectHandler;
  readonly #world: World;
  readonly #owned: World['process'];
  #committed: Truth;
  /** What is being committed, in order. */
  #underWay: Change[] = [];
  /** By the transaction that is being decided. */
  #settled: Settled | undefined;

  constructor(world: World) {
    this.#world = world;
    this.#owned = world.process;
    this.#committed = world.truth;
    const { store } = world;
    const own: Pick<Store, 'takeEffects' | 'transact'> = {
      takeEffects: (how) => this.#take(store, how),
      transact: (keys, decide) => this.#transact(store, keys, decide),
    };
    this.store = new Proxy<Store>(store, {
      get: (of, property) => {
        if (property in own) return own[property as keyof typeof own];
        const value = Reflect.get(of, property, of) as unknown;
        return typeof value === 'function' ? (value.bind(of) as unknown) : value;
      },
    });
    this.handler = {
      kinds: [KIND],
      keys: () => ({}),
      settle: (answered, { at }) => this.#settle(answered, at),
    };
  }

  async #take(store: Store, how: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    const { owner } = this.#world;
    // Any that are due, and none that this owner is trying already.
    const isDue = ([id, { state, owner: by }]: [string, { state: string; owner: number }]): boolean =>
      isOurs(id) && (state === 'due' || by !== owner);
    const due = (truth: Truth): string[] => [...truth.parts.effects].filter(isDue).map(([id]) => id);
    const taking: Change = (truth) =>
      choices(due(truth), how.limit).map((ids) => withTried(truth, ids, owner));
    this.#begin(taking);
    const given = await store.takeEffects(how);
    const ids = given.map(({ id }) => id);
    if (ids.length !== Math.min(due(this.#committed).length, how.limit))
      throw new Error(`${ids.join()} were handed out, of ${due(this.#committed).join()}`);
    if (ids.some((id) => !due(this.#committed).includes(id)))
      throw new Error(`${ids.join()} are not all due`);
    this.#end(taking, withTried(this.#committed, ids, owner));
    return given;
  }

  async #transact<R>(store: Store, ...[keys, decide]: Parameters<Store['transact']>): Promise<R> {
    let settled: Settled | undefined;
    const result = await store.transact(keys, (snapshot) => {
      this.#settled = undefined;
      const decided = decide(snapshot);
      settled = this.#settled;
      return decided;
    });
    if (settled !== undefined) this.#end(settled.change, withAnswers(this.#committed, settled.answered));
    return result as R;
  }

  #settle(answered: readonly Answered[], at: number): ReturnType<EffectHandler['settle']> {
    const change: Change = (truth) => [withAnswers(truth, answered)];
    this.#settled = { change, answered };
    this.#begin(change);
    return {
      effects: answered.map(({ effect, answer }) => ({
        id: effect.id,
        effect: answer.kind === 'done' ? null : dueAgain(effect, answer.isUnknown, at),
      })),
      facts: answered.flatMap(({ effect: { id, attempts }, answer }) =>
        answer.kind === 'done' ? [newFact(HAPPENED, { thing: id, step: attempts })] : [],
      ),
    };
  }

  #begin(change: Change): void {
    this.#underWay.push(change);
    this.#show();
  }

  #end(change: Change, committed: Truth): void {
    this.#underWay = this.#underWay.filter((one) => one !== change);
    this.#committed = committed;
    this.#show();
  }

  /** All that is committed, and what is under way up to any of it. */
  #show(): void {
    // Another owns the folder: that is for it to say.
    if (this.#world.process !== this.#owned) return;
    let last: readonly Truth[] = [this.#committed];
    const truths = [...last];
    for (const change of this.#underWay) truths.push(...(last = last.flatMap(change)));
    this.#world.truths = truths;
  }
}

function withTried(truth: Truth, ids: readonly string[], owner: number): Truth {
  const effects = new Map(truth.parts.effects);
  for (const id of ids)
    effects.set(id, { state: 'trying', attempts: (effects.get(id)?.attempts ?? 0) + 1, owner });
  return { ...truth, parts: { ...truth.parts, effects } };
}

function withAnswers(truth: Truth, answered: readonly Answered[]): Truth {
  const effects = new Map(truth.parts.effects);
  const facts = [...truth.parts.facts];
  for (const { effect, answer } of answered) {
    const { id, attempts } = effect;
    if (answer.kind === 'failed') {
      effects.set(id, { state: 'due', attempts, owner: 0 });
      continue;
    }
    effects.delete(id);
    facts.push(`${id} step ${attempts}`);
  }
  return { ...truth, parts: { ...truth.parts, effects, facts } };
}

function dueAgain(effect: Effect, isUnknown: boolean, at: number): Effect {
  const fields = { ...effect.fields, may_have_moved: isUnknown, answered: effect.attempts };
  return { ...effect, fields, state: 'due', dueAt: at };
}

/** All ways to choose `count` of them. */
function choices(of: readonly string[], count: number): (readonly string[])[] {
  if (count >= of.length) return [of];
  if (count === 0) return [[]];
  const [first = '', ...others] = of;
  return [...choices(others, count - 1).map((more) => [first, ...more]), ...choices(others, count)];
}
