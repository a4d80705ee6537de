import type { Rules } from './rules.ts';
import { factsOf, orderOf, POISON, type Sent, type Source, type Topic, type World } from './world.ts';

/*
 * The processors, as pure functions. `payment` charges, and refunds charges for nothing; `inventory` reserves the
 * stock.
 */

export interface Changes {
  readonly facts?: readonly string[];
  /** Effects that start. */
  readonly effects?: readonly string[];
  /** A parked effect that is tried once more, or a pending one that must not be tried. */
  readonly again?: string;
  readonly drop?: string;
  readonly sold?: boolean;
  readonly outgoing?: readonly (readonly [cause: string, topic: Topic, content: string])[];
}

const NOTHING: Changes = {};

/** The changes that a record makes. */
export function decide(
  world: World,
  [group, topic]: Source,
  [cause, , content]: Sent,
  { offset, rules }: { offset: number; rules: Rules },
): Changes {
  if (group === 'tracking') return NOTHING;
  if (cause === POISON) return { outgoing: [[`dead:${topic}@${offset}`, 'dlq', '']] };
  const order = orderOf(cause);
  const facts = factsOf(world, order);
  const knows = (...some: string[]): boolean => rules.knowsFacts && some.some((fact) => facts.includes(fact));
  if (topic === 'created') {
    if (content === 'redriven') return redriven(world, `charge:${order}`);
    if (knows('requested')) return NOTHING;
    if (facts.includes('cancelled')) return { facts: ['requested', 'dropped'] };
    return { facts: ['requested'], effects: [`charge:${order}`] };
  }
  if (topic === 'gone') {
    if (content === 'redriven') return redriven(world, `refund:${order}`);
    return knows('unwanted') ? NOTHING : unwanted(world, order, rules);
  }
  if (knows('reserved', 'gone', 'cancelled')) return NOTHING;
  if (topic !== 'cancel') return reserve(world, order);
  return { facts: ['cancelled'], outgoing: [[`gone:${order}`, 'gone', 'cancelled']] };
}

function reserve(world: World, order: string): Changes {
  if (world.stock === 0) return { facts: ['gone'], outgoing: [[`gone:${order}`, 'gone', 'sold out']] };
  const stock = `stock#${world.revision + 1}`;
  return { facts: ['reserved'], sold: true, outgoing: [[stock, 'events', `sold to ${order}`]] };
}

/** Drops a charge that certainly was not made; any other charge is looked up to find its outcome. */
function unwanted(world: World, order: string, { dropsOnlyUndone }: Rules): Changes {
  if (factsOf(world, order).includes('paid')) return { facts: ['unwanted'], effects: [`refund:${order}`] };
  const charge = world.effects[`charge:${order}`];
  if (charge !== undefined && (!charge.inDoubt || !dropsOnlyUndone)) {
    return { facts: ['unwanted', 'dropped'], drop: `charge:${order}` };
  }
  return charge?.state === 'parked'
    ? { facts: ['unwanted'], again: `charge:${order}` }
    : { facts: ['unwanted'] };
}

function redriven(world: World, effect: string): Changes {
  return world.effects[effect]?.state === 'parked' ? { again: effect } : NOTHING;
}

/** The changes that the answer to an effect makes. */
export function decideAnswer(
  world: World,
  effect: string,
  answer: 'done' | 'declined' | 'none',
  rules: Rules,
): Changes {
  const order = orderOf(effect);
  if (effect.startsWith('mail:')) return NOTHING;
  if (effect.startsWith('refund:')) {
    return { facts: ['refunded'], outgoing: [[`refunded:${order}`, 'refunded', '']] };
  }
  if (answer === 'none') return { facts: ['dropped'] };
  if (answer === 'declined') {
    return { facts: ['failed'], effects: [`mail:${order}`], outgoing: [[`failed:${order}`, 'failed', '']] };
  }
  const isUnwanted = rules.answersSeeFacts && factsOf(world, order).includes('unwanted');
  if (isUnwanted) return { facts: ['paid'], effects: [`refund:${order}`] };
  return { facts: ['paid'], outgoing: [[`paid:${order}`, 'paid/0', '']] };
}
