/** The kinds of action outside orderctl: a payment, a mail, a webhook call, a parcel. */
export type EffectKind = 'charge' | 'refund' | 'dispatch' | 'mail' | 'webhook' | 'log';

/**
 * A pending effect. It is committed together with its cause, performed afterwards at least once, and removed by the
 * commit that stores its answer.
 */
export interface Effect {
  /** Derived from its cause, so that it is the same if the cause is processed again: `o-17/charge`. */
  readonly id: string;
  readonly kind: EffectKind;
  /** Lets the receiver recognise a second try: an idempotency key, a Message-ID. */
  readonly key: string;
  /** The parameters of the action: JSON fields in snake_case. */
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * `due`: to be tried at `dueAt`. `trying`: handed out, with no answer committed yet, so it is unknown whether it
   * happened. `parked`: not tried again until it is made due.
   */
  readonly state: 'due' | 'trying' | 'parked';
  /** Milliseconds since the epoch. In state `trying`: when another process may take it over. */
  readonly dueAt: number;
  /** Tries started. An answer counts only if this number has not changed since its try started. */
  readonly attempts: number;
  /** When it was first handed out, from which the expiry of `key` counts; null before. Milliseconds since the epoch. */
  readonly firstTriedAt: number | null;
}

/** The result of trying an effect. */
export type Answer =
  /** The receiver answered `fields`. A decline is an answer too. */
  | { readonly kind: 'done'; readonly fields: Readonly<Record<string, unknown>> }
  /** The effect did not happen, or it is unknown whether it did (`isUnknown`): try again, or give up. */
  | { readonly kind: 'failed'; readonly message: string; readonly isUnknown: boolean };

/** An effect that was tried, with the result. */
export interface Answered {
  readonly effect: Effect;
  readonly answer: Answer;
}

/** The effect after a change; null: it is finished. */
export interface EffectChange {
  readonly id: string;
  readonly effect: Effect | null;
  /** No effect with this id may be pending yet: replacing it would lose the record of its tries. */
  readonly isNew?: true;
}

/** @param dueAt milliseconds since the epoch */
export function newEffect(
  { id, kind, key, fields }: Pick<Effect, 'id' | 'kind' | 'key' | 'fields'>,
  dueAt: number,
): EffectChange {
  // Not `{ ...of, state }`, nor `{ ...one, ...another }`: in Node 20, V8 takes a microsecond for each property that is
  // added to an object literal starting with a spread. Cloning an object, or replacing its properties, is fast.
  const effect: Effect = { id, kind, key, fields, state: 'due', dueAt, attempts: 0, firstTriedAt: null };
  return { id, effect, isNew: true };
}

/**
 * Checks changes, in order, before a store applies them.
 *
 * @param isOwed whether an effect with this id is pending before the changes
 * @throws Error if a new effect would replace a pending one, which is a bug in the processor
 */
export function checkNewEffects(changes: readonly EffectChange[], isOwed: (id: string) => boolean): void {
  const changed = new Map<string, boolean>();
  for (const { id, effect, isNew } of changes) {
    if (isNew === true && (changed.get(id) ?? isOwed(id))) throw owedAlready(id);
    changed.set(id, effect !== null);
  }
}

export function owedAlready(id: string): Error {
  return new Error(`effect ${id} is already pending, and a new one would replace it`);
}
