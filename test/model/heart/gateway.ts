import type { Move } from './move.ts';
import type { Answer, Model, World } from './world.ts';

/** The outcome for a key: a payment is found forever, a decline only while its key is remembered. */
export function lookUp(world: World, id: string): Answer | null {
  if ((world.performed[id] ?? 0) > 0) return 'done';
  return world.remembered[id] ?? null;
}

/** Requests arrive, perhaps long after their callers have given up, and keys are forgotten. */
export function* gatewayMoves(world: World, { rules }: Model): Generator<Move> {
  for (const [index, request] of world.requests.entries()) {
    const { effect, attempt } = request;
    const key = rules.keepsKey ? effect : `${effect}/${attempt}`;
    const answer = (name: string, outcome: Answer): Move => ({
      name: `the request for ${effect} of attempt ${attempt} ${name}`,
      by: null,
      apply: (next) => {
        next.requests.splice(index, 1);
        if (world.remembered[key] === undefined && outcome === 'done') {
          next.performed = sorted({ ...next.performed, [effect]: (next.performed[effect] ?? 0) + 1 });
        }
        if (!effect.startsWith('mail:')) next.remembered = sorted({ ...next.remembered, [key]: outcome });
        if (outcome === 'declined' && world.remembered[key] === undefined) next.budget.declines -= 1;
        for (const { call } of next.instances) {
          if (call?.effect === effect && call.attempt === attempt && call.step === 'wait')
            call.step = outcome;
        }
      },
    });
    const before = world.remembered[key];
    if (before !== undefined) yield answer('arrives again', before);
    else {
      yield answer('is done', 'done');
      if (effect.startsWith('charge:') && world.budget.declines > 0) yield answer('is declined', 'declined');
    }
  }
  if (world.budget.forgets === 0) return;
  for (const key of Object.keys(world.remembered)) {
    const effect = key.replace(/\/.*/, '');
    // A key is kept for longer than a request can be on its way.
    if (world.requests.some((request) => request.effect === effect)) continue;
    yield {
      name: `the gateway forgets the key of ${effect}`,
      by: null,
      apply: (next) => {
        next.budget.forgets -= 1;
        next.remembered = Object.fromEntries(
          Object.entries(next.remembered).filter(([other]) => other !== key),
        );
        for (const { call } of next.instances) if (call?.effect === effect) call.isOld = true;
      },
    };
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
