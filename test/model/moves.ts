import {
  crash,
  MAX_ATTEMPTS,
  POISON,
  type Call,
  type Effect,
  type Group,
  type Row,
  type Rules,
  type Topic,
  type World,
} from './world.ts';

/** One step that may happen now; `apply` changes the world it is given. */
export interface Move {
  readonly name: string;
  readonly apply: (world: World) => void;
}

const SOURCES: readonly [Topic, Topic] = ['created', 'paid'];
const INSTANCES = [0, 1] as const;
type At = (typeof INSTANCES)[number];

/** Everything that may happen next. */
export function* moves(world: World, rules: Rules): Generator<Move> {
  for (const at of INSTANCES) {
    yield* consumerMoves(world, rules, at);
    yield* effectMoves(world, rules, at);
    yield* outboxMoves(world, rules, at);
    if (world.budget.crashes > 0 && isBusy(world, at)) {
      yield move(`${at} crashes`, (next) => {
        next.budget.crashes -= 1;
        crash(next, at);
      });
    }
  }
  yield* gatewayMoves(world);
  yield* expiries(world);
}

function move(name: string, apply: (world: World) => void): Move {
  return { name, apply };
}

function isBusy(world: World, at: At): boolean {
  const { batch, call, leads } = world.instances[at];
  return batch !== null || call !== null || leads;
}

// Consumers: any instance may fetch any partition, as after an assignment that one of them slept through.

function* consumerMoves(world: World, rules: Rules, at: At): Generator<Move> {
  const { batch } = world.instances[at];
  if (batch !== null) {
    yield move(`${at} commits ${SOURCES[batch.group]}@${batch.from}`, (next) => {
      commitBatch(next, rules, at);
    });
    return;
  }
  for (const group of [0, 1] as const) {
    if (world.positions[group] >= world.topics[SOURCES[group]].length) continue;
    yield move(`${at} fetches ${SOURCES[group]}@${world.positions[group]}`, (next) => {
      // Where rows are deleted up to a number, it matters that numbers are drawn before the commit.
      const number = rules.deletesById ? 0 : ++next.numbers;
      next.instances[at].batch = { group, from: next.positions[group], number };
    });
  }
}

/** One transaction: the position, the facts, the effect and the outgoing messages of a record, or nothing. */
function commitBatch(world: World, rules: Rules, at: At): void {
  const { batch } = world.instances[at];
  if (batch === null) return;
  const { group, from, number } = batch;
  world.instances[at].batch = null;
  if (rules.comparesPositions && world.positions[group] !== from) return;
  const [cause] = world.topics[SOURCES[group]][from] ?? [POISON];
  world.positions[group] = from + 1;
  world.counted[group] += 1;
  const outgoing = decide(world, rules, group, cause, from);
  const rows = outgoing.map(([what, topic]): Row => [what, topic, number]);
  if (rules.hasOutbox) world.outbox.push(...rows);
  else world.instances[at].toSend.push(...rows);
}

function decide(world: World, rules: Rules, group: Group, cause: string, from: number): [string, Topic][] {
  if (cause === POISON) return [[`dead:created@${from}`, 'dlq']];
  if (group === 0) {
    const facts = factsOf(world, cause);
    if (rules.knowsFacts && facts.includes('requested')) return [];
    facts.push('requested');
    world.effects[cause] = { state: 'due', attempts: 0, holder: -1 };
    return [];
  }
  const facts = factsOf(world, orderOf(cause));
  if (rules.knowsFacts && facts.includes('reserved')) return [];
  facts.push('reserved');
  world.revision += 1;
  return [[`stock#${world.revision}`, 'events']];
}

// Effects: a lease and `asked` are committed, then the gateway is called, then its answer is committed.

function* effectMoves(world: World, rules: Rules, at: At): Generator<Move> {
  const { call } = world.instances[at];
  if (call !== null) {
    yield* callMoves(world, rules, at, call);
    return;
  }
  for (const [order, { state, holder }] of Object.entries(world.effects)) {
    if (holder !== -1 || state === 'done' || state === 'parked') continue;
    yield move(`${at} takes charge of ${order}`, (next) => {
      const effect = effectOf(next, order);
      const step = rules.looksUp && effect.state === 'asked' ? 'look' : 'ask';
      if (rules.commitsBeforeCalls) effect.state = 'asked';
      effect.attempts += 1;
      effect.holder = at;
      next.instances[at].call = { order, step, isOld: false };
    });
  }
}

function* callMoves(world: World, rules: Rules, at: At, call: Call): Generator<Move> {
  const { order, step, isOld } = call;
  const set = (next: World, to: Call['step']): void => {
    const current = next.instances[at].call;
    if (current !== null) current.step = to;
  };
  if (step === 'paid' || step === 'unknown') {
    yield move(`${at} commits that ${order} is ${step}`, (next) => {
      commitAnswer(next, rules, at);
    });
  } else if (step === 'look') {
    yield move(`${at} asks what became of ${order}`, (next) => {
      set(next, (next.charged[order] ?? 0) > 0 ? 'paid' : 'ask');
    });
  } else if (step === 'ask') {
    yield move(`${at} charges ${order}`, (next) => {
      if (isOld && rules.looksAtTheClock) {
        set(next, 'unknown');
        return;
      }
      next.requests.push({ order, caller: at });
      set(next, 'wait');
    });
  } else if (world.budget.lostAnswers > 0) {
    yield move(`${at} gives up waiting for ${order}`, (next) => {
      next.budget.lostAnswers -= 1;
      for (const request of next.requests) if (request.caller === at) request.caller = -1;
      set(next, 'unknown');
    });
  }
}

function commitAnswer(world: World, rules: Rules, at: At): void {
  const { call } = world.instances[at];
  if (call === null) return;
  world.instances[at].call = null;
  const { order, step } = call;
  const effect = effectOf(world, order);
  if (step === 'paid') {
    if (rules.answersOnce && effect.state === 'done') return;
    effect.state = 'done';
    effect.holder = -1;
    factsOf(world, order).push('paid');
    world.outbox.push([`paid:${order}`, 'paid', rules.deletesById ? 0 : ++world.numbers]);
    return;
  }
  if (effect.holder !== at) return;
  effect.holder = -1;
  if (effect.attempts < MAX_ATTEMPTS) return;
  effect.state = 'parked';
  if (rules.parksVisibly) {
    world.outbox.push([`dead:charge:${order}`, 'dlq', rules.deletesById ? 0 : ++world.numbers]);
  }
}

function* gatewayMoves(world: World): Generator<Move> {
  for (const [index, { order, caller }] of world.requests.entries()) {
    yield move(`the charge of ${order} arrives`, (next) => {
      next.requests.splice(index, 1);
      if (!next.remembered.includes(order)) {
        next.charged[order] = (next.charged[order] ?? 0) + 1;
        next.remembered = [...next.remembered, order].sort();
      }
      const call = caller === -1 ? null : next.instances[caller as At].call;
      if (call !== null) call.step = 'paid';
    });
  }
  if (world.budget.forgets === 0) return;
  for (const order of world.remembered) {
    // The gateway keeps a key for longer than a request can be on its way.
    if (world.requests.some((request) => request.order === order)) continue;
    yield move(`the gateway forgets the key of ${order}`, (next) => {
      next.budget.forgets -= 1;
      next.remembered = next.remembered.filter((other) => other !== order);
      for (const { call } of next.instances) if (call?.order === order) call.isOld = true;
    });
  }
}

// The outbox: one instance has the lease, reads rows, sends them one by one, and deletes what it sent.

function* outboxMoves(world: World, rules: Rules, at: At): Generator<Move> {
  const { leads, toSend, toDelete } = world.instances[at];
  if (toSend.length > 0) {
    yield move(`${at} sends ${toSend[0]?.[0] ?? ''}`, (next) => {
      const instance = next.instances[at];
      const row = instance.toSend.shift();
      if (row === undefined) return;
      const log = next.topics[row[1]];
      log.push([row[0], rules.idsFromCauses ? row[0] : `${row[0]}/${log.length}`]);
      if (rules.hasOutbox) instance.toDelete.push(row);
    });
  } else if (toDelete.length > 0) {
    yield move(`${at} deletes what it sent`, (next) => {
      const instance = next.instances[at];
      next.outbox = next.outbox.filter((row) => !isSent(row, instance.toDelete, rules));
      instance.toDelete = [];
    });
  } else if (leads && world.outbox.length > 0) {
    yield move(`${at} reads the outbox`, (next) => {
      const instance = next.instances[at];
      if (next.outboxHolder === at) instance.toSend = next.outbox.slice(0, 2);
      else instance.leads = false;
    });
  } else if (!leads && world.outboxHolder === -1 && world.outbox.length > 0) {
    yield move(`${at} takes the lease of the outbox`, (next) => {
      next.outboxHolder = at;
      next.instances[at].leads = true;
    });
  }
}

function isSent([cause, , number]: Row, sent: readonly Row[], rules: Rules): boolean {
  if (rules.deletesById) return sent.some(([other]) => other === cause);
  return number <= Math.max(...sent.map(([, , other]) => other));
}

/** The lease of a dead holder ends by itself; that of one who lives ends only while it is asleep. */
function* expiries(world: World): Generator<Move> {
  const { budget, effects, instances, outboxHolder } = world;
  const ends = function* (name: string, isDead: boolean, end: (next: World) => void): Generator<Move> {
    if (!isDead && budget.expiries === 0) return;
    yield move(name, (next) => {
      if (!isDead) next.budget.expiries -= 1;
      end(next);
    });
  };
  for (const [order, { holder }] of Object.entries(effects)) {
    if (holder === -1) continue;
    const isDead = instances[holder as At].call?.order !== order;
    yield* ends(`the lease of ${order} ends`, isDead, (next) => {
      effectOf(next, order).holder = -1;
    });
  }
  if (outboxHolder === -1) return;
  yield* ends('the lease of the outbox ends', !instances[outboxHolder as At].leads, (next) => {
    next.outboxHolder = -1;
  });
}

/** `paid:a` → `a` */
export function orderOf(cause: string): string {
  return cause.slice(cause.indexOf(':') + 1);
}

function factsOf(world: World, order: string): string[] {
  return (world.facts[order] ??= []);
}

function effectOf(world: World, order: string): Effect {
  const effect = world.effects[order];
  if (effect === undefined) throw new Error(`order ${order} has no effect`);
  return effect;
}
