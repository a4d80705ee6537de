import { orderOf } from './moves.ts';
import { GROUPS, POISON, type Rules, type World } from './world.ts';

/** @returns what is wrong in this state, or null */
export function violation(world: World, rules: Rules): string | null {
  return (
    chargedTwice(world) ??
    countedTwice(world) ??
    factTwice(world) ??
    otherId(world) ??
    stuck(world) ??
    wrongView(world, rules)
  );
}

function chargedTwice({ charged, facts }: World): string | null {
  for (const [order, times] of Object.entries(charged)) {
    if (times > 1) return `order ${order} was charged ${times} times`;
    if (times === 0 && facts[order]?.includes('paid') === true)
      return `order ${order} is paid but was not charged`;
  }
  return null;
}

function countedTwice({ positions, counted }: World): string | null {
  for (const group of [0, 1] as const) {
    if (positions[group] === counted[group]) continue;
    return `${GROUPS[group]} counted ${counted[group]} records up to position ${positions[group]}`;
  }
  return null;
}

function factTwice({ facts }: World): string | null {
  for (const [order, list] of Object.entries(facts)) {
    if (new Set(list).size < list.length) return `order ${order} has a fact twice: ${list.join(', ')}`;
  }
  return null;
}

/** A message that is sent again has the id of the first. */
function otherId({ topics }: World): string | null {
  const idOf = new Map<string, string>();
  for (const log of [topics.paid, topics.events, topics.dlq]) {
    for (const [cause, id] of log) {
      if ((idOf.get(cause) ?? id) !== id) return `message ${cause} was sent under two ids`;
      idOf.set(cause, id);
    }
  }
  return null;
}

/** Each record that was read is final, or something that is still to be done knows of it. */
function stuck(world: World): string | null {
  const { topics, positions, outbox, facts, effects } = world;
  const waits = new Set(outbox.map(([cause]) => cause));
  const isDead = (cause: string): boolean =>
    waits.has(cause) || topics.dlq.some(([letter]) => letter === cause);
  const unread = new Set(topics.paid.slice(positions[1]).map(([cause]) => orderOf(cause)));
  for (const [offset, [cause]] of topics.created.slice(0, positions[0]).entries()) {
    if (cause === POISON) {
      if (!isDead(`dead:created@${offset}`)) return `the record at ${offset} is lost without a dead letter`;
      continue;
    }
    if (facts[cause]?.includes('reserved') === true || waits.has(`paid:${cause}`) || unread.has(cause))
      continue;
    const state = effects[cause]?.state;
    if (state === 'due' || state === 'asked') continue;
    if (state === 'parked' && isDead(`dead:charge:${cause}`)) continue;
    return `order ${cause} waits for nothing: ${facts[cause]?.join(', ') ?? 'no facts'}, effect ${state ?? 'none'}`;
  }
  return null;
}

/** When all is sent, a reader of the item has its last revision. */
function wrongView({ topics, revision, outbox, instances }: World, rules: Rules): string | null {
  if (outbox.length > 0 || instances.some(({ toSend }) => toSend.length > 0)) return null;
  let seen = 0;
  for (const [cause] of topics.events) {
    const found = Number(cause.slice(cause.indexOf('#') + 1));
    if (found > seen || !rules.readsByRevision) seen = found;
  }
  return seen === revision ? null : `a reader of the item is at revision ${seen} of ${revision}`;
}

/** All is read, sent and answered. */
export function isFinal({ positions, topics, outbox, effects }: World): boolean {
  return (
    outbox.length === 0 &&
    positions[0] === topics.created.length &&
    positions[1] === topics.paid.length &&
    Object.values(effects).every(({ state }) => state === 'done' || state === 'parked')
  );
}
