import type { Answered, Effect, EffectKind } from '../domain/effects.ts';
import type { DeclaredMessage, Message, MessageOf, ProcessorName } from '../domain/messages/message.ts';
import type { RecordId } from '../domain/orders/order.ts';
import type { RefusalCode } from '../domain/topics/refusal.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';

/** A message and its record. */
export interface Received<M> {
  readonly message: M;
  readonly record: RecordId;
  /** The name of the message in the catalogue. */
  readonly source: string;
  /** A valid `traceparent` header, for everything the message causes; null: none, or not needed. */
  readonly traceparent: string | null;
  /** The value of the record in base64, for a processor that keeps it. */
  readonly raw?: string;
  /** The message was redriven for another group, the only one in which it had failed: ignore it. */
  readonly isForOthers?: true;
}

/** Narrows the type, for a processor with several sources. */
export function isOf<V>(received: Received<unknown>, message: MessageOf<V>): received is Received<V> {
  return received.source === message.name;
}

/** The result of one message. A run counts results by `kind`. */
export interface Outcome {
  readonly kind: string;
}

/** The result of a message that cannot be applied at present: its record becomes a dead letter. */
export interface Refused extends Outcome {
  readonly kind: 'dead_letter';
  readonly code: RefusalCode;
  readonly message: string;
}

/**
 * A processor: decides what the messages it reads change. `M` is the type of a message, `R` that of its result. It
 * must be pure and total: no I/O, no clock, no randomness, and a value for every message, never an exception.
 */
export interface Processor<M, R extends Outcome> {
  /** Its name in commands and in the catalogue. */
  readonly name: ProcessorName;
  readonly sources: readonly DeclaredMessage[];
  readonly emits: readonly Message[];
  /** The processor needs the bytes of records: `Received.raw`. */
  readonly keepsRaw?: true;
  /** The keys that processing these messages reads or changes; reading any other key is a bug. */
  keys(received: readonly Received<M>[]): StateKeys;
  /**
   * Processes a batch in order: each message sees the changes of those before it. A store may call this again with
   * another state. `state` is not changed.
   *
   * @returns `results`: one per message, in order
   */
  decide(
    received: readonly Received<M>[],
    state: State,
  ): { readonly changes: StateChanges; readonly results: readonly R[] };
  /** Handles the effects of the processor; absent if it has none. */
  readonly effects?: EffectHandler;
}

export interface EffectHandler {
  readonly kinds: readonly EffectKind[];
  keys(effects: readonly Effect[]): StateKeys;
  /**
   * Returns the changes made by answers, in order, including the effects themselves: each is removed, due again later,
   * or parked. All answers are to the latest try of their effect.
   */
  settle(answered: readonly Answered[], state: State): StateChanges;
}
