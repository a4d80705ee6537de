import { letterOf } from './commit.ts';
import { orderOf, POISON, positionKey, type Model, type Topic, type World } from './world.ts';

/** @returns what is wrong in this state, or null */
export function violation(world: World, model: Model): string | null {
  return (
    money(world) ??
    countedTwice(world, model) ??
    outcomes(world) ??
    messages(world) ??
    stuck(world, model) ??
    order(world, model) ??
    (isFinal(world, model) ? books(world) : null)
  );
}

/** Nothing is charged or refunded twice, or without a reason. */
function money({ performed, facts }: World): string | null {
  for (const [effect, times] of Object.entries(performed)) {
    if (times > 1 && !effect.startsWith('mail:')) return `${effect} was done ${times} times`;
  }
  for (const [name, known] of Object.entries(facts)) {
    const charged = performed[`charge:${name}`] ?? 0;
    const refunded = performed[`refund:${name}`] ?? 0;
    if (refunded > charged) return `order ${name} was refunded more than it paid`;
    if (known.includes('paid') && charged === 0) return `order ${name} is paid but was not charged`;
    if ((known.includes('failed') || known.includes('dropped')) && charged > 0) {
      return `order ${name} was charged but is ${known.join(', ')}`;
    }
  }
  return null;
}

/** Each record below a position was counted exactly once by its group, and no other record was. */
function countedTwice({ positions, counted }: World, { sources, rules }: Model): string | null {
  for (const [index, source] of sources.entries()) {
    const offsets = counted[index] ?? [];
    const twice = offsets.find((offset, at) => offsets.indexOf(offset) < at);
    if (twice !== undefined) return `${source.join(' ')} counted record ${twice} twice`;
    const next = positions[positionKey(source, rules)] ?? 0;
    if (offsets.length < next)
      return `${source.join(' ')} counted ${offsets.length} records up to position ${next}`;
  }
  return null;
}

/** No fact exists twice, and each order has one outcome. */
function outcomes({ facts, stock }: World): string | null {
  if (stock < 0) return 'stock is below zero';
  for (const [name, known] of Object.entries(facts)) {
    if (new Set(known).size < known.length) return `order ${name} has a fact twice: ${known.join(', ')}`;
    const ends = known.filter((fact) => ['reserved', 'failed', 'refunded', 'dropped'].includes(fact));
    if (ends.length > 1) return `order ${name} ends as ${ends.join(' and ')}`;
  }
  return null;
}

const SENT: readonly Topic[] = ['paid/0', 'paid/1', 'gone', 'failed', 'refunded', 'events', 'dlq'];

/** Committed messages are sent or pending, nothing else is sent, and each message has one id and one content. */
function messages({ topics, outbox, caused, instances }: World): string | null {
  const idOf = new Map<string, string>();
  const contentOf = new Map<string, string>();
  for (const topic of SENT) {
    for (const [cause, id, content] of topics[topic] ?? []) {
      if (content === 'redriven') continue;
      if ((idOf.get(cause) ?? id) !== id) return `message ${cause} was sent under two ids`;
      if ((contentOf.get(id) ?? content) !== content) return `message ${id} was sent with two contents`;
      if (!caused.includes(`${cause} ${content}`))
        return `message ${cause} (${content}) reports something that never happened`;
      idOf.set(cause, id);
      contentOf.set(id, content);
    }
  }
  const waiting = [
    ...outbox.flat(),
    ...instances.flatMap(({ later }) => later.flatMap((next) => (next.do === 'send' ? [next.row] : []))),
    ...instances.flatMap(({ sender }) => sender?.toSend ?? []),
  ].map(([cause, , content]) => `${cause} ${content}`);
  const twice = caused.find((message, at) => caused[at + 1]?.split(' ')[0] === message.split(' ')[0]);
  if (twice !== undefined) return `message ${twice} has two contents under one id`;
  const lost = caused.find((message) => {
    const [cause = ''] = message.split(' ');
    return !idOf.has(cause) && !waiting.includes(message);
  });
  return lost === undefined ? null : `message ${lost} is lost`;
}

/** Each order that was read has finished, or some pending step refers to it. */
function stuck(world: World, model: Model): string | null {
  const next = world.positions[positionKey(['payment', 'created'], model.rules)] ?? 0;
  const waiting = ordersThatWait(world, model);
  for (const [offset, [cause]] of (world.topics.created ?? []).slice(0, next).entries()) {
    const letter = `dead:created@${offset}`;
    if (cause === POISON) {
      if (!world.caused.some((message) => message.startsWith(letter)))
        return `the record at ${offset} is lost without a dead letter`;
      continue;
    }
    const known = world.facts[cause] ?? [];
    if (known.some((fact) => ['reserved', 'failed', 'refunded', 'dropped'].includes(fact))) continue;
    if (!waiting.has(cause)) return `order ${cause} waits for nothing: ${known.join(', ')}`;
  }
  return null;
}

function ordersThatWait(
  { topics, positions, outbox, effects, instances, caused }: World,
  model: Model,
): Set<string> {
  const { sources, rules } = model;
  const waiting = new Set<string>();
  for (const source of sources) {
    const unread = (topics[source[1]] ?? []).slice(positions[positionKey(source, rules)] ?? 0);
    for (const [cause] of unread) waiting.add(orderOf(cause));
  }
  const isRead = (topic: Topic): boolean => sources.some(([, other]) => other === topic);
  for (const [cause, topic] of outbox.flat()) if (isRead(topic)) waiting.add(orderOf(cause));
  for (const [id, effect] of Object.entries(effects)) {
    const isOpen = effect.state === 'parked' && isOpenLetter(letterOf(id, effect, rules), { topics, caused });
    if (effect.state === 'due' || isOpen) waiting.add(orderOf(id));
  }
  for (const { later } of instances) {
    // An effect or a message that is only in memory is lost in a crash: it does not count as pending, but is on its
    // way.
    for (const todo of later) {
      if (todo.do === 'add') waiting.add(orderOf(todo.effect));
      if (todo.do === 'send') waiting.add(orderOf(todo.row[0]));
    }
  }
  return waiting;
}

/** A dead letter that is sent, or will be, and has not been redriven. */
function isOpenLetter(letter: string, { topics, caused }: Pick<World, 'topics' | 'caused'>): boolean {
  const redriven = [...(topics.created ?? []), ...(topics.gone ?? [])].some(
    ([, id, content]) => content === 'redriven' && id === letter,
  );
  return !redriven && caused.some((message) => message.startsWith(`${letter} `));
}

/** The first copies of the messages about the item are in order, and a reader ends at the last revision. */
function order({ topics, revision, outbox, instances }: World, { rules }: Model): string | null {
  const firsts = [...new Set((topics.events ?? []).map(([cause]) => revisionOf(cause)))];
  const early = firsts.find((found, at) => found !== at + 1);
  if (early !== undefined) return `revision ${early} of the item was sent before the one below it`;
  if (outbox.flat().length > 0 || instances.some(({ sender }) => (sender?.toSend.length ?? 0) > 0))
    return null;
  let seen = 0;
  for (const [cause] of topics.events ?? []) {
    const found = revisionOf(cause);
    if (found > seen || !rules.readsByRevision) seen = found;
  }
  return seen === revision ? null : `a reader of the item is at revision ${seen} of ${revision}`;
}

function revisionOf(cause: string): number {
  return Number(cause.slice(cause.indexOf('#') + 1));
}

/** At the end, money and stock balance, except for orders with an open dead letter. */
function books({ facts, performed, effects }: World): string | null {
  for (const [name, known] of Object.entries(facts)) {
    const isOwed = (kind: string): boolean => effects[`${kind}:${name}`] !== undefined;
    if (isOwed('charge') || isOwed('refund')) continue;
    const kept = (performed[`charge:${name}`] ?? 0) - (performed[`refund:${name}`] ?? 0);
    const due = known.includes('reserved') ? 1 : 0;
    if (kept !== due) return `order ${name} paid ${kept} for ${due}: ${known.join(', ')}`;
    if (known.includes('failed') && !isOwed('mail') && (performed[`mail:${name}`] ?? 0) === 0) {
      return `order ${name} failed and no mail said so`;
    }
  }
  return null;
}

/** Everything has been read, sent and answered. */
export function isFinal(
  { positions, topics, outbox, effects, instances }: World,
  { sources, rules }: Model,
): boolean {
  return (
    outbox.every((rows) => rows.length === 0) &&
    instances.every(({ sender, later }) => sender === null && later.length === 0) &&
    sources.every(
      (source) => (positions[positionKey(source, rules)] ?? 0) >= (topics[source[1]]?.length ?? 0),
    ) &&
    Object.values(effects).every(({ state }) => state !== 'due')
  );
}
