import type { Answered, Effect, EffectKind } from '../domain/effects.ts';
import type { DeclaredMessage, Message, MessageOf, ProcessorName } from '../domain/messages/message.ts';
import type { RecordId } from '../domain/orders/order.ts';
import type { RefusalCode } from '../domain/topics/refusal.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';

/** A message, and the record that it came in. */
export interface Received<M> {
  readonly message: M;
  readonly record: RecordId;
  /** Which message it is, by its name in the catalogue. */
  readonly source: string;
  /** A valid header `traceparent`, for all that it leads to; null: none, or it leads to nothing. */
  readonly traceparent: string | null;
  /** The value of the record in base64, for a processor that keeps it. */
  readonly raw?: string;
  /** It was redriven to another group, the only one in which it had failed: ignore it. */
  readonly isForOthers?: true;
}

/** Narrows the type, for a processor with several sources. */
export function isOf<V>(received: Received<unknown>, message: MessageOf<V>): received is Received<V> {
  return received.source === message.name;
}

/** The result of one message; a run counts results by `kind`. */
export interface Outcome {
  readonly kind: string;
}

/** The result of a message that cannot be applied as things are: its record becomes a dead letter. */
export interface Refused extends Outcome {
  readonly kind: 'dead_letter';
  readonly code: RefusalCode;
  readonly message: string;
}

/**
 * A service: decides what the messages it reads change. `M` is such a message, `R` the result of one. Pure and total: no
 * I/O, no clock, no randomness, and a value for every message, never an exception.
 */
export interface Processor<M, R extends Outcome> {
  /** Its name in commands and in the catalogue. */
  readonly name: ProcessorName;
  readonly sources: readonly DeclaredMessage[];
  readonly emits: readonly Message[];
  /** Messages come with the bytes of their records. */
  readonly keepsRaw?: true;
  /** What deciding on these messages reads or changes; reading anything else is a bug. */
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
  /** For the calls to the outside that it owes; absent if it owes none. */
  readonly effects?: EffectHandler;
}

export interface EffectHandler {
  readonly kinds: readonly EffectKind[];
  keys(effects: readonly Effect[]): StateKeys;
  /**
   * What answers change, in order, including the effects themselves, each of which is removed, due again later, or
   * parked. All are answers to the latest try.
   */
  settle(answered: readonly Answered[], state: State): StateChanges;
}
