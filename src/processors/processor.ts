import type { Answer, Effect, EffectKind } from '../domain/effects.ts';
import type { DeclaredMessage, Message, MessageOf, ProcessorName } from '../domain/messages/message.ts';
import type { RecordId } from '../domain/orders/order.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';

/** A message, and the record that it came in. */
export interface Received<M> {
  readonly message: M;
  readonly record: RecordId;
  /** Which message it is, by its name in the catalogue. */
  readonly source: string;
  /** The trace that it belongs to, for what it leads to; null for none, and for a processor that sends nothing. */
  readonly traceparent: string | null;
  /** It was redriven to another group, where alone it had come to nothing: it is ignored. */
  readonly isForOthers?: true;
}

/** Whether it is that message: what a processor of several sources asks. */
export function isOf<V>(received: Received<unknown>, message: MessageOf<V>): received is Received<V> {
  return received.source === message.name;
}

/** What became of a message; a run counts them by `kind`. */
export interface Outcome {
  readonly kind: string;
}

/**
 * A service: decides what the messages that it reads change. `M` is such a message, `R` what became of one. Pure and
 * total: no I/O, no clock, no randomness, and a value for every message, never an exception.
 */
export interface Processor<M, R extends Outcome> {
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

export interface EffectHandler {
  readonly kinds: readonly EffectKind[];
  keys(effect: Effect): StateKeys;
  /**
   * Takes an answer: what it changes, the effect itself among that: removed, due again later, or parked. Not called for
   * an answer to a try that is not the last one begun.
   */
  settle(effect: Effect, answer: Answer, state: State): StateChanges;
}
