import { decide, decideAnswer, type Changes } from './decide.ts';
import type { Rules } from './rules.ts';
import {
  factsOf,
  logOf,
  newEffect,
  orderOf,
  positionKey,
  type Effect,
  type Instance,
  type Later,
  type Model,
  type Row,
  type Sent,
  type World,
} from './world.ts';

/* The two deciding transactions: of a batch, and of an answer. */

/** Stores the position, facts, effects and outgoing messages of a record together, or none of them. */
export function commitBatch(world: World, model: Model, instance: Instance): void {
  const { batch } = instance;
  const { rules, sources } = model;
  if (batch === null) return;
  instance.batch = null;
  const { source, from, number, isSent } = batch;
  const of = sources[source];
  if (of === undefined) return;
  const key = positionKey(of, rules);
  if (rules.comparesPositions && (world.positions[key] ?? 0) !== from) return;
  const changes = decideRecord(world, model, source, from);
  world.counted[source] = [...(world.counted[source] ?? []), from];
  const later: Later[] = [];
  if (rules.movesPositionInCommit) world.positions[key] = from + 1;
  else later.push({ do: 'move', source, to: from + 1 });
  later.push(
    ...apply(world, model, { changes, about: world.topics[of[1]]?.[from]?.[0] ?? '', number, isSent }),
  );
  instance.later = later;
}

export function decideRecord(
  world: World,
  { rules, sources }: Model,
  source: number,
  offset: number,
): Changes {
  const of = sources[source];
  const record = of === undefined ? undefined : world.topics[of[1]]?.[offset];
  if (of === undefined || record === undefined) return {};
  return decide(world, of, record, { offset, rules });
}

/**
 * Stores the answer of an attempt and what it causes, if that attempt is the one that counts; otherwise does nothing.
 */
export function commitAnswer(world: World, model: Model, instance: Instance): void {
  const { call } = instance;
  const { rules } = model;
  if (call === null) return;
  instance.call = null;
  const effect = world.effects[call.effect];
  if (effect?.state !== 'due') return;
  const counted = rules.countsBeforeCalls ? effect.attempts : effect.attempts + 1;
  if (rules.comparesAttempts && call.attempt !== counted) return;
  effect.attempts = Math.max(effect.attempts, call.attempt);
  effect.leased = false;
  if (call.step === 'done' || call.step === 'declined' || call.step === 'none') {
    remove(world, call.effect);
    const changes = decideAnswer(world, call.effect, call.step, rules);
    instance.later = apply(world, model, { changes, about: call.effect, number: 0, isSent: false });
    return;
  }
  if (call.step === 'unreached') effect.inDoubt = rules.remembersDoubt && call.wasInDoubt;
  if (effect.left === 0) park(world, model, call.effect);
}

function park(world: World, model: Model, id: string): void {
  const { rules } = model;
  const effect = effectOf(world, id);
  effect.state = 'parked';
  if (!rules.parksVisibly) return;
  const letter = letterOf(id, effect, rules);
  put(world, model, [letter, 'dlq', `after ${effect.attempts} attempts`, 0]);
}

/** The dead letter of a parked effect. */
export function letterOf(id: string, { attempts }: Effect, rules: Rules): string {
  return rules.numbersParkings ? `dead:${id}#${attempts}` : `dead:${id}`;
}

interface Decided {
  readonly changes: Changes;
  /** The id of the record or the effect. */
  readonly about: string;
  readonly number: number;
  readonly isSent: boolean;
}

/** @returns the changes that broken rules leave for after the commit */
function apply(world: World, model: Model, { changes, about, number, isSent }: Decided): Later[] {
  const { rules } = model;
  const later: Later[] = [];
  factsOf(world, orderOf(about)).push(...(changes.facts ?? []));
  if (changes.sold === true) {
    world.stock -= 1;
    world.revision += 1;
  }
  for (const effect of changes.effects ?? []) {
    if (rules.addsEffectsInCommit) add(world, effect);
    else later.push({ do: 'add', effect });
  }
  if (changes.drop !== undefined) remove(world, changes.drop);
  if (changes.again !== undefined) again(world, changes.again, rules);
  const isInCommit = rules.hasOutbox && (rules.answersInOneCommit || !about.startsWith('charge:'));
  for (const [cause, topic, content] of changes.outgoing ?? []) {
    const row: Row = [cause, topic, content, number];
    if (isSent) note(world, row);
    else if (isInCommit) put(world, model, row);
    else {
      note(world, row);
      later.push({ do: 'send', row });
    }
  }
  return later;
}

export function add(world: World, id: string): void {
  if (world.effects[id] !== undefined) return;
  const effects = Object.entries({ ...world.effects, [id]: newEffect() });
  world.effects = Object.fromEntries(effects.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function remove(world: World, id: string): void {
  world.effects = Object.fromEntries(Object.entries(world.effects).filter(([other]) => other !== id));
}

/** One more attempt: an earlier request may still have been carried out. */
function again(world: World, id: string, rules: Rules): void {
  const effect = effectOf(world, id);
  effect.state = 'due';
  effect.left = 1;
  if (!rules.redrivesTheSame) Object.assign(effect, { attempts: 0, inDoubt: false });
}

function put(world: World, model: Model, row: Row): void {
  note(world, row);
  const number = numberOf(world, model, row);
  const numbered: Row = [row[0], row[1], row[2], number];
  const shard = world.outbox[shardOf(world, model.rules, row)];
  if (shard === undefined) return;
  const after = shard.findIndex((other) => other[3] > number);
  shard.splice(after === -1 ? shard.length : after, 0, numbered);
}

function numberOf(world: World, model: Model, [, topic, , early]: Row): number {
  if (!countsNumbers(model.rules)) return 0;
  const isInTurn = model.isFolder || early === 0 || (topic === 'events' && model.rules.numbersUnderLock);
  return isInTurn ? ++world.numbers : early;
}

/** All numbers are 0 and rows are in the order of their commits, unless a broken rule makes them matter. */
export function countsNumbers({ numbersUnderLock, deletesById }: Rules): boolean {
  return !numbersUnderLock || !deletesById;
}

function shardOf(world: World, rules: Rules, [cause, topic]: Row): number {
  if (!rules.shardsByKey) return world.caused.length % world.outbox.length;
  return topic === 'events' && cause.startsWith('stock') ? world.outbox.length - 1 : 0;
}

function note(world: World, [cause, , content]: Row): void {
  const message = `${cause} ${content}`;
  if (!world.caused.includes(message)) world.caused = [...world.caused, message].sort();
}

export function send(world: World, rules: Rules, [cause, topic, content]: Row): void {
  const log = logOf(world, topic);
  const sent: Sent = [cause, rules.idsFromCauses ? cause : `${cause}/${log.length}`, content];
  log.push(sent);
}

export function effectOf(world: World, id: string): Effect {
  const effect = world.effects[id];
  if (effect === undefined) throw new Error(`effect ${id} does not exist`);
  return effect;
}
