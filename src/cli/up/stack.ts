import { systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { ShopPart } from '../../app/overview/overview.ts';
import { duration } from '../output/text.ts';
import type { Session } from '../session.ts';
import { SETTINGS } from '../settings/table.ts';
import { Part, type PartEvent, type PartOptions } from './part.ts';
import { answers, freeWhereZero } from './ports.ts';
import { portOf } from '../parse.ts';

const LOOK_EVERY_MS = 2_000;
/** A part that has run this long since its restart is no longer shown as ended. */
const STEADY_MS = 3_000;
export interface KafkaFlags {
  readonly data: string;
  readonly brokerPort?: string;
  readonly registryPort?: string;
}

/** The addresses of the services that the shop needs. */
export interface Kafka {
  readonly brokers: string;
  readonly registry: string;
  /** The broker that `up` itself runs; null: it uses an existing one. */
  readonly own: {
    readonly part: Part;
    readonly gateway: string | null;
    /** Rejects when it cannot start. */
    readonly ready: Promise<unknown>;
  } | null;
}

interface Role {
  /** Whether it is stopped after all other parts. */
  readonly isGround?: boolean;
}

/** The processes of a shop. */
export class Stack {
  readonly #session: Session;
  readonly #parts: Part[] = [];
  /** Parts that the others depend on: they are stopped last. */
  readonly #grounds = new Set<Part>();
  readonly #onChange: () => void;
  readonly #problems = new Map<string, string>();
  /** Settings for the parts, which would otherwise not receive those given as flags. */
  readonly #env: Record<string, string | undefined>;

  /** @param onChange called when `states` has changed */
  constructor(session: Session, onChange: () => void) {
    this.#session = session;
    this.#onChange = onChange;
    const { byName } = session.resolved;
    const given = SETTINGS.flatMap(({ name, env }) => {
      const found = byName.get(name);
      return found?.source === 'flag' && name !== 'output' && name !== 'quiet'
        ? [[env, String(found.value)] as const]
        : [];
    });
    this.#env = { ...session.env, ...Object.fromEntries(given) };
    // One setting has two names; the one given as a flag counts.
    if (this.#env.ORDERCTL_STORE !== undefined) {
      if (byName.get('store')?.source === 'flag') delete this.#env.ORDERCTL_STORAGE;
      else if (byName.get('storage')?.source === 'flag') delete this.#env.ORDERCTL_STORE;
    }
  }

  part(
    name: string,
    args: () => readonly string[],
    { isGround = false, ...how }: Pick<PartOptions, 'announces' | 'onReady' | 'onMessage' | 'program'> & Role,
  ): Part {
    const { printer, cwd } = this.#session;
    const part = new Part({
      name,
      args,
      cwd,
      env: this.#env,
      ...how,
      on: (event) => {
        if (!this.#isSaid(event)) printEvent(printer, event);
        this.#note(event);
      },
    });
    this.#parts.push(part);
    if (isGround) this.#grounds.add(part);
    return part;
  }

  /** Replaces the store of the settings for all parts that start from now on. */
  useStore(url: string): void {
    this.#env.ORDERCTL_STORE = url;
    delete this.#env.ORDERCTL_STORAGE;
  }

  /** The parts, for the page. */
  get states(): readonly ShopPart[] {
    return this.#parts.map(({ name, pid }) => ({ name, pid, problem: this.#problems.get(name) ?? null }));
  }

  #note(event: PartEvent): void {
    if (event.kind === 'says' && event.level !== 'error') return;
    if (event.kind === 'back') {
      // A part that keeps ending does not count as running again.
      setTimeout(() => this.#clear(event), STEADY_MS).unref();
    } else this.#problems.set(event.name, event.kind === 'says' ? wordsOf(event, ' · ') : this.#how(event));
    this.#onChange();
  }

  /** Whether the same was reported already: a part that cannot start reports the same each time. */
  #isSaid(event: PartEvent): boolean {
    return event.kind === 'says' && this.#problems.get(event.name) === wordsOf(event, ' · ');
  }

  /** How it ended: its own error message is more useful than the exit code. */
  #how({ name, how }: Extract<PartEvent, { kind: 'ended' }>): string {
    const said = this.#problems.get(name);
    return how.includes('exit code') && said !== undefined ? said : how;
  }

  #clear({ name, pid }: Extract<PartEvent, { kind: 'back' }>): void {
    if (!this.#parts.some((part) => part.name === name && part.pid === pid)) return;
    this.#problems.delete(name);
    this.#onChange();
  }

  /** Uses the broker and registry that are set or already answer; otherwise starts its own, with a payment gateway. */
  async startKafka(flags: KafkaFlags, signal: AbortSignal): Promise<Kafka> {
    const { printer, settings, resolved } = this.#session;
    const { brokers, registry } = settings;
    const [first = ''] = brokers.split(',');
    const other = await otherBroker(this.#session, flags);
    if (other !== null) {
      if (other === 'answers') printer.info(`using the broker that answers on ${first}`);
      void this.#watch(brokers.split(','), signal);
      return { brokers, registry, own: null };
    }
    const { hostname: host, port: brokerPort } = new URL(`tcp://${first}`);
    // Chosen before it listens, so that nothing has to wait for it to start.
    const ports = await freeWhereZero([
      portOf('--broker-port', flags.brokerPort ?? brokerPort),
      portOf('--registry-port', flags.registryPort ?? new URL(registry).port),
      0,
    ]);
    const [at, registryAt, gatewayAt] = ports.map((port) => `${host}:${port}`);
    // A gateway that the user has set is used.
    const isOwnGateway = resolved.byName.get('gateway')?.source === 'default';
    const words = ['--port', '--registry-port', ...(isOwnGateway ? ['--gateway-port'] : [])].flatMap(
      (word, at) => [word, String(ports[at])],
    );
    const part = this.part('dev', () => ['dev', ...words, '--data', flags.data], {
      announces: true,
      isGround: true,
    });
    const own = { part, gateway: isOwnGateway ? `http://${gatewayAt ?? ''}` : null, ready: part.start() };
    // The caller that awaits it reports the error.
    own.ready.catch(() => undefined);
    this.#env.ORDERCTL_BROKERS = at;
    this.#env.ORDERCTL_REGISTRY = `http://${registryAt ?? ''}`;
    if (own.gateway !== null) this.#env.ORDERCTL_GATEWAY = own.gateway;
    return { brokers: at ?? '', registry: this.#env.ORDERCTL_REGISTRY, own };
  }

  /** Reports when brokers that it did not start stop answering, and when they answer again. */
  async #watch(addresses: readonly string[], signal: AbortSignal): Promise<void> {
    const { printer } = this.#session;
    let isThere = true;
    while (!signal.aborted) {
      const found = (await Promise.all(addresses.map(answers))).includes(true);
      if (isThere && !found) {
        printer.warn(`no broker answers on ${addresses.join(', ')}: orders wait until one does`);
      }
      if (!isThere && found) printer.info(`the broker on ${addresses.join(', ')} answers again`);
      isThere = found;
      await systemClock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Stops all parts, those that depend on others first. */
  async stop(): Promise<void> {
    const others = this.#parts.filter((part) => !this.#grounds.has(part));
    await Promise.all(others.map((part) => part.stop()));
    await Promise.all([...this.#grounds].map((part) => part.stop()));
  }
}

/** @returns whether the broker is one that was set or one that already answers; null: the shop starts its own */
async function otherBroker(
  { settings, resolved }: Session,
  { brokerPort, registryPort }: KafkaFlags,
): Promise<'given' | 'answers' | null> {
  if (brokerPort !== undefined || registryPort !== undefined) return null;
  if (resolved.byName.get('brokers')?.source !== 'default') return 'given';
  return (await answers(settings.brokers.split(',')[0] ?? '')) ? 'answers' : null;
}

/** For operations that also change the topics. @throws Failure usage: the brokers do not belong to this shop alone */
export async function checkOwnBroker(session: Session, flags: KafkaFlags): Promise<void> {
  if ((await otherBroker(session, flags)) === null) return;
  throw new Failure('usage', `the orders of a previous shop are still on ${session.settings.brokers}`, {
    fix: 'use --fresh with a broker of its own: stop that one, or give --broker-port 0 --registry-port 0; or give another --topic, --group and --store',
  });
}

export function printEvent(
  printer: Pick<Session['printer'], 'error' | 'warn' | 'info' | 'debug'>,
  event: PartEvent,
): void {
  switch (event.kind) {
    case 'says':
      if (event.level === 'error') printer.error(`${event.name}: ${wordsOf(event, '\nfix: ')}`);
      // Rejected orders are shown by the API and "order list"; here they would bury other warnings.
      else if (event.level === 'warn' && event.about === null)
        printer.warn(`${event.name}: ${event.message}`);
      else printer.debug(`${event.name}: ${event.message}`);
      return;
    case 'ended':
      printer.warn(`${event.name} (${event.pid}) ${event.how}: restarting${when(event.delayMs)}`);
      return;
    case 'back':
      printer.info(`${event.name} is back as ${event.pid}${afterOf(event)}`);
  }
}

function afterOf({ afterMs }: Extract<PartEvent, { kind: 'back' }>): string {
  return afterMs === null ? '' : `, after ${duration(afterMs)}`;
}

function wordsOf({ message, fix }: Extract<PartEvent, { kind: 'says' }>, before: string): string {
  return fix === null ? message : `${message}${before}${fix}`;
}

function when(delayMs: number): string {
  return delayMs === 0 ? '' : ` in ${duration(delayMs)}`;
}
