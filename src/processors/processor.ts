import type { Effect, EffectKind } from '../domain/effects.ts';
import type { DeclaredMessage, Message, ProcessorName } from '../domain/messages/message.ts';
import type { RecordId } from '../domain/orders/order.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';

/** A message, and the record that it came in. */
export interface Received<M> {
  readonly message: M;
  readonly record: RecordId;
}

/**
 * A service: decides what the messages that it reads change. `M` is such a message, `R` what became of one. Pure and
 * total: no I/O, no clock, no randomness, and a value for every message, never an exception.
 */
export interface Processor<M, R> {
  /** By which commands and the catalogue know it. */
  readonly name: ProcessorName;
  /** The messages that it reads. */
  readonly sources: readonly DeclaredMessage[];
  /** The messages that it sends. */
  readonly emits: readonly Message[];
  /** What deciding on these looks at or changes; to look at anything else is a bug. */
  keys(received: readonly Received<M>[]): StateKeys;
  /**
   * Decides a batch, in order: each message sees what those before it changed. A store may call this again, on another
   * state; `state` is not changed.
   *
   * @returns `results`: one for each message, in their order
   */
  decide(
    received: readonly Received<M>[],
    state: State,
  ): { readonly changes: StateChanges; readonly results: readonly R[] };
  /** What it asks of the outside; left out where it asks for nothing. */
  readonly effects?: EffectHandler;
}

/** What an effect came to. */
export type Answer =
  /** `fields`: what was answered, as a value: a decline is an answer. */
  | { readonly kind: 'done'; readonly fields: Readonly<Record<string, unknown>> }
  /** It did not happen, or nobody knows (`isUnknown`): try again, or give up. */
  | { readonly kind: 'failed'; readonly message: string; readonly isUnknown: boolean };

export interface EffectHandler {
  readonly kinds: readonly EffectKind[];
  keys(effect: Effect): StateKeys;
  /**
   * Takes an answer: what it changes, the effect itself among that: removed, due again later, or parked. Not called for
   * an answer to a try that is not the last one begun.
   */
  settle(effect: Effect, answer: Answer, state: State): StateChanges;
}
