import {
  owedAlready,
  type Answer,
  type Answered,
  type Effect,
  type EffectChange,
} from '../domain/effects.ts';
import type { Fact, FactLog, NewFact } from '../domain/facts.ts';
import type { MessageOf } from '../domain/messages/message.ts';
import { outgoing, type OutgoingMessage } from '../domain/messages/outgoing.ts';
import type { Movement } from '../domain/movement.ts';
import { formatRecordId } from '../domain/orders/order.ts';
import { idSource } from '../domain/messages/restored.ts';
import type { State, StateChanges } from '../domain/state.ts';
import type { Outcome, Received } from './processor.ts';

/** The result of processing a message. */
export interface Handled extends Outcome {
  /**
   * `rejected`: it was decided and changes nothing; `seen`: it was handled before; `conflict`: a different message
   * with the same id was handled before; `ignored`: it is too late to change anything.
   */
  readonly kind: 'handled' | 'rejected' | 'seen' | 'conflict' | 'ignored';
  /** The id of the order, item or event that the message is about. */
  readonly about: string;
  /** The result as a sentence. */
  readonly detail: string;
}

/** A batch that is being processed: the state after the messages so far, and their changes. */
export class Draft {
  readonly state: State;
  /** Facts of this batch, by log and key. */
  readonly #facts = new Map<string, Map<string, Fact[]>>();
  readonly #newFacts: NewFact[] = [];
  readonly #effects = new Map<string, EffectChange>();
  readonly #quantities = new Map<string, number>();
  readonly #movements: Movement[] = [];
  readonly #outgoing: OutgoingMessage[] = [];
  readonly #source: string;

  constructor(state: State) {
    this.state = state;
    this.#source = idSource(state);
  }

  facts<T extends Fact>(log: FactLog<T>, key: string): readonly T[] {
    const committed = this.state.facts(log, key);
    const added = this.#facts.get(log.name)?.get(key) as readonly T[] | undefined;
    return added === undefined ? committed : [...committed, ...added];
  }

  append<T extends Fact>(log: FactLog<T>, value: T): void {
    let ofLog = this.#facts.get(log.name);
    if (ofLog === undefined) this.#facts.set(log.name, (ofLog = new Map<string, Fact[]>()));
    const key = String(value[log.key]);
    ofLog.set(key, [...(ofLog.get(key) ?? []), value]);
    this.#newFacts.push({ log, value });
  }

  effect(id: string): Effect | undefined {
    const changed = this.#effects.get(id);
    return changed === undefined ? this.state.effect(id) : (changed.effect ?? undefined);
  }

  /** @throws Error if a new effect would replace a pending one, which is a bug in the processor */
  change({ id, effect, isNew }: EffectChange): void {
    const before = this.#effects.get(id);
    if (isNew === true && (before?.effect ?? null) !== null) throw owedAlready(id);
    // Only the last change of an effect is committed. It is new if the effect was not pending before the first change.
    const staysNew = before === undefined ? isNew : before.isNew;
    this.#effects.set(
      id,
      staysNew === true && effect !== null ? { id, effect, isNew: true } : { id, effect },
    );
  }

  quantity(item: string): number | undefined {
    return this.#quantities.get(item) ?? this.state.quantity(item);
  }

  /** @param movement must be of an existing item */
  move(movement: Movement): void {
    this.#quantities.set(movement.item, (this.quantity(movement.item) ?? 0) + movement.delta);
    this.#movements.push(movement);
  }

  /** @param of identifies the cause, the same each time it is processed, such as an order id */
  send<V extends object>(
    message: MessageOf<V>,
    fields: NoInfer<V>,
    of: readonly (string | number)[],
    traceparent: string | null,
  ): void {
    const { at } = this.state;
    this.#outgoing.push(outgoing(message, fields, { store: this.#source, of, at, traceparent }));
  }

  sendAside(deadLetter: OutgoingMessage): void {
    this.#outgoing.push(deadLetter);
  }

  changes(): StateChanges {
    return {
      ...(this.#newFacts.length === 0 ? {} : { facts: this.#newFacts }),
      ...(this.#effects.size === 0 ? {} : { effects: [...this.#effects.values()] }),
      ...(this.#movements.length === 0 ? {} : { movements: this.#movements }),
      ...(this.#outgoing.length === 0 ? {} : { outgoing: this.#outgoing }),
    };
  }
}

/** Processes messages one after the other. */
export function decideEach<M>(
  received: readonly Received<M>[],
  state: State,
  decide: (received: Received<M>, draft: Draft) => Handled,
): { readonly changes: StateChanges; readonly results: readonly Handled[] } {
  const draft = new Draft(state);
  const results = received.map((one) => (one.isForOthers === true ? passedOver(one) : decide(one, draft)));
  return { changes: draft.changes(), results };
}

/** Applies answers one after the other. */
export function settleEach(
  answered: readonly Answered[],
  state: State,
  settle: (effect: Effect, answer: Answer, draft: Draft) => void,
): StateChanges {
  const draft = new Draft(state);
  for (const { effect, answer } of answered) settle(effect, answer, draft);
  return draft.changes();
}

function passedOver({ record }: Received<unknown>): Handled {
  return { kind: 'ignored', about: formatRecordId(record), detail: 'it was redriven to another group' };
}
