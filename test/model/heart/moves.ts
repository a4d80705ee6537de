import { add, commitAnswer, commitBatch, countsNumbers, decideRecord, effectOf, send } from './commit.ts';
import { gatewayMoves, lookUp } from './gateway.ts';
import type { Move } from './move.ts';
import type { Rules } from './rules.ts';
import { crash, factsOf, idle, logOf, orderOf, positionKey } from './world.ts';
import type { Call, Instance, Model, Row, World } from './world.ts';

/** Every step that may happen next. */
export function* moves(world: World, model: Model): Generator<Move> {
  for (const at of world.instances.keys()) {
    // Instances with nothing in memory are alike.
    if (at > 0 && isIdle(world, at) && isIdle(world, at - 1)) continue;
    const by = (name: string, apply: (instance: Instance, next: World) => void): Move => ({
      name,
      by: at,
      apply: (next) => {
        apply(next.instances[at] ?? idle(), next);
      },
    });
    const instance = world.instances[at] ?? idle();
    if (instance.later.length > 0) {
      yield* laterMoves(instance, model, by);
    } else {
      yield* consumerMoves(world, model, instance, by);
      yield* effectMoves(world, model, instance, by);
    }
    yield* outboxMoves(world, model, instance, by);
    if (world.budget.crashes > 0 && !isIdle(world, at)) {
      yield by('crashes', (_, next) => {
        next.budget.crashes -= 1;
        crash(next, at);
      });
    }
  }
  yield* gatewayMoves(world, model);
  yield* expiries(world);
  yield* redrives(world);
}

type By = (name: string, apply: (instance: Instance, next: World) => void) => Move;

function isIdle(world: World, at: number): boolean {
  const { batch, call, sender, later } = world.instances[at] ?? idle();
  return batch === null && call === null && sender === null && later.length === 0;
}

// Consumers: any instance may fetch any partition, as after a reassignment that one of them slept through.

function* consumerMoves(world: World, model: Model, { batch }: Instance, by: By): Generator<Move> {
  const { rules, sources } = model;
  if (batch !== null) {
    const name = `${sources[batch.source]?.join(' ') ?? ''}@${batch.from}`;
    if (!rules.sendsAfterCommit && !batch.isSent) {
      yield by(`sends what ${name} will cause`, ({ batch: own }, next) => {
        if (own === null) return;
        own.isSent = true;
        const { outgoing = [] } = decideRecord(next, model, own.source, own.from);
        for (const [cause, topic, content] of outgoing) send(next, rules, [cause, topic, content, 0]);
      });
    } else {
      yield by(`commits ${name}`, (own, next) => {
        commitBatch(next, model, own);
      });
    }
    return;
  }
  for (const [source, of] of sources.entries()) {
    const from = world.positions[positionKey(of, rules)] ?? 0;
    if (from >= (world.topics[of[1]]?.length ?? 0)) continue;
    yield by(`fetches ${of.join(' ')}@${from}`, (own, next) => {
      const number = countsNumbers(rules) && !model.isFolder ? ++next.numbers : 0;
      own.batch = { source, from, number, isSent: false };
    });
  }
}

function* laterMoves({ later }: Instance, { rules, sources }: Model, by: By): Generator<Move> {
  const [first] = later;
  if (first === undefined) return;
  yield by(`after its commit: ${first.do}`, (own, next) => {
    own.later.shift();
    if (first.do === 'send') send(next, rules, first.row);
    else if (first.do === 'add') add(next, first.effect);
    else {
      const of = sources[first.source];
      if (of !== undefined) next.positions[positionKey(of, rules)] = first.to;
    }
  });
}

// Effects: the attempt is counted and leased, then the gateway is called, then its answer is committed.

function* effectMoves(world: World, model: Model, { call }: Instance, by: By): Generator<Move> {
  const { rules } = model;
  if (call !== null) {
    yield* callMoves(world, model, call, by);
    return;
  }
  for (const [id, { state, leased }] of Object.entries(world.effects)) {
    if (state !== 'due' || leased) continue;
    yield by(`takes ${id}`, (own, next) => {
      const effect = effectOf(next, id);
      const attempt = effect.attempts + 1;
      // Mail cannot be looked up: it is sent again, under the same id.
      const wasInDoubt = effect.inDoubt;
      const looksUp = rules.looksUp && wasInDoubt && !id.startsWith('mail:');
      const onlyLooks = isUnwanted(next, id) ? 'unwanted' : effect.left === 0 ? 'spent' : null;
      const step = looksUp ? 'look' : onlyLooks === null ? 'ask' : 'unknown';
      own.call = { effect: id, attempt, onlyLooks, wasInDoubt, step, isOld: false };
      if (rules.countsBeforeCalls) {
        effect.attempts = attempt;
        effect.inDoubt = true;
      }
      effect.left = Math.max(0, effect.left - 1);
      effect.leased = true;
    });
  }
}

function* callMoves(world: World, model: Model, call: Call, by: By): Generator<Move> {
  const { effect: id, step } = call;
  const becomes = (step: Call['step']) => (own: Instance) => {
    if (own.call !== null) own.call.step = step;
  };
  if (world.budget.refusals > 0 && (step === 'look' || step === 'ask')) {
    yield by(`does not reach the gateway for ${id}`, (own, next) => {
      next.budget.refusals -= 1;
      becomes('unreached')(own);
    });
  }
  switch (step) {
    case 'look':
      yield by(`looks up the outcome of ${id}`, (own, next) => {
        becomes(lookUp(next, id) ?? notFound(next, call, model.rules))(own);
      });
      break;
    case 'ask':
      yield call.isOld && model.rules.asksWithinLease
        ? by(`is too late to ask for ${id}`, becomes('unknown'))
        : by(`asks for ${id}`, (own, next) => {
            next.requests.push({ effect: id, attempt: call.attempt });
            becomes('wait')(own);
          });
      break;
    case 'wait':
      // A request that died with its answer is waited for in vain; any other reaches the time-out only if the budget
      // allows.
      if (world.budget.lostAnswers > 0) {
        yield by(`gives up waiting for ${id}`, (own, next) => {
          next.budget.lostAnswers -= 1;
          becomes('unknown')(own);
        });
      }
      break;
    case 'done':
    case 'declined':
    case 'none':
    case 'unreached':
    case 'unknown':
      yield by(`commits that ${id} is ${step}`, (own, next) => {
        commitAnswer(next, model, own);
      });
  }
}

function isUnwanted(world: World, id: string): boolean {
  return id.startsWith('charge:') && factsOf(world, orderOf(id)).includes('unwanted');
}

/** The gateway does not know the key, which a request still on its way may change. */
function notFound(
  { requests }: World,
  { effect, onlyLooks }: Call,
  { waitsForRequests }: Rules,
): Call['step'] {
  if (onlyLooks === null) return 'ask';
  const isOnItsWay = requests.some((request) => request.effect === effect);
  return onlyLooks === 'spent' || (isOnItsWay && waitsForRequests) ? 'unknown' : 'none';
}

// The outbox: one instance has the lease of a shard, reads rows, sends them in order, and deletes what it sent.

function* outboxMoves(world: World, { rules }: Model, { sender }: Instance, by: By): Generator<Move> {
  if (sender === null) {
    for (const [shard, rows] of world.outbox.entries()) {
      if (rows.length === 0 || (rules.leasesShards && world.leased[shard] === true)) continue;
      yield by(`reads shard ${shard}`, (own, next) => {
        own.sender = { shard, toSend: rows.slice(0, 2), sent: [], holds: true };
        next.leased[shard] = true;
        if (!rules.deletesAfterSending) next.outbox[shard] = rows.slice(2);
      });
    }
    return;
  }
  const [row] = sender.toSend;
  if (row !== undefined) {
    yield by(`sends ${row[0]}`, (own, next) => {
      own.sender?.toSend.shift();
      own.sender?.sent.push(row);
      send(next, rules, row);
    });
    return;
  }
  yield by(`deletes what it sent of shard ${sender.shard}`, (own, next) => {
    own.sender = null;
    const { shard, sent, holds } = sender;
    next.outbox[shard] = (next.outbox[shard] ?? []).filter(
      (other) => !isSent(other, sent, rules.deletesById),
    );
    if (holds) next.leased[shard] = false;
  });
}

function isSent([cause, , , number]: Row, sent: readonly Row[], byId: boolean): boolean {
  if (byId) return sent.some(([other]) => other === cause);
  return number <= Math.max(...sent.map(([, , , other]) => other));
}

/** The lease of a dead holder expires by itself; that of a live holder expires only while the holder is asleep. */
function* expiries(world: World): Generator<Move> {
  const { budget, effects, instances, leased } = world;
  for (const [id, { leased: isLeased, attempts }] of Object.entries(effects)) {
    const isHeld = instances.some(({ call }) => call?.effect === id && call.attempt >= attempts);
    if (!isLeased || (isHeld && budget.expiries === 0)) continue;
    yield {
      name: `the lease of ${id} ends`,
      by: null,
      apply: (next) => {
        if (isHeld) next.budget.expiries -= 1;
        effectOf(next, id).leased = false;
        for (const { call } of next.instances) if (call?.effect === id) call.isOld = true;
      },
    };
  }
  for (const [shard, isLeased] of leased.entries()) {
    const isHeld = instances.some(({ sender }) => sender?.shard === shard && sender.holds);
    if (!isLeased || (isHeld && budget.expiries === 0)) continue;
    yield {
      name: `the lease of shard ${shard} ends`,
      by: null,
      apply: (next) => {
        if (isHeld) next.budget.expiries -= 1;
        next.leased[shard] = false;
        for (const { sender } of next.instances) if (sender?.shard === shard) sender.holds = false;
      },
    };
  }
}

/** A user redrives a dead letter, perhaps one that was redriven before. */
function* redrives(world: World): Generator<Move> {
  if (world.budget.redrives === 0) return;
  for (const letter of new Set((world.topics.dlq ?? []).map(([cause]) => cause))) {
    const topic = letter.startsWith('dead:charge:') ? 'created' : 'gone';
    if (!/^dead:(?:charge|refund):/.test(letter)) continue;
    yield {
      name: `a user redrives ${letter}`,
      by: null,
      apply: (next) => {
        next.budget.redrives -= 1;
        logOf(next, topic).push([orderOf(letter), letter, 'redriven']);
      },
    };
  }
}
