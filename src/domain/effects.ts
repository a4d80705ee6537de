/** Something outside that is asked for: a payment, a mail, a call of a webhook, a parcel. */
export type EffectKind = 'charge' | 'refund' | 'dispatch' | 'mail' | 'webhook' | 'log';

/**
 * An effect that is owed: committed together with what asks for it, performed afterwards, at least once, and removed by
 * the commit that takes its answer.
 */
export interface Effect {
  /** What it is about, the same whenever that is decided again: `o-17/charge`. */
  readonly id: string;
  readonly kind: EffectKind;
  /** By which the other side recognises a second try: an idempotency key, a Message-ID. */
  readonly key: string;
  /** What is asked for: fields of JSON, snake_case. */
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * `due`: to be tried at `dueAt`. `trying`: was handed out, and no answer is committed: whether it happened is not
   * known. `parked`: is not tried any more until it is made due again.
   */
  readonly state: 'due' | 'trying' | 'parked';
  /** Milliseconds since the epoch. While it is tried: when another may take it over. */
  readonly dueAt: number;
  /** Tries begun. An answer counts only while this is what it was when that try began. */
  readonly attempts: number;
  /** When it was first handed out, by which keys expire; null before. Milliseconds since the epoch. */
  readonly firstTriedAt: number | null;
}

/** What an effect came to. */
export type Answer =
  /** `fields`: what was answered, as a value: a decline is an answer. */
  | { readonly kind: 'done'; readonly fields: Readonly<Record<string, unknown>> }
  /** It did not happen, or nobody knows (`isUnknown`): try again, or give up. */
  | { readonly kind: 'failed'; readonly message: string; readonly isUnknown: boolean };

/** An effect that was tried, and what the try came to. */
export interface Answered {
  readonly effect: Effect;
  readonly answer: Answer;
}

/** An effect as it is after a change; null: it is done with. */
export interface EffectChange {
  readonly id: string;
  readonly effect: Effect | null;
  /** None of that id is owed before it: to replace one would lose what it has tried. */
  readonly isNew?: true;
}

/** @param dueAt milliseconds since the epoch */
export function newEffect(
  { id, kind, key, fields }: Pick<Effect, 'id' | 'kind' | 'key' | 'fields'>,
  dueAt: number,
): EffectChange {
  // Not `{ ...of, state }`, nor `{ ...one, ...another }`: V8 of Node 20 takes a microsecond for each property that is added to a literal
  // that begins with a spread, of whatever. A clone, or one with properties replaced, is fast.
  const effect: Effect = { id, kind, key, fields, state: 'due', dueAt, attempts: 0, firstTriedAt: null };
  return { id, effect, isNew: true };
}

/**
 * Checks changes, in order, before a store applies them.
 *
 * @param isOwed whether one of that id is owed before them
 * @throws Error when one that is owed would be replaced by a new one: a bug in what decides
 */
export function checkNewEffects(changes: readonly EffectChange[], isOwed: (id: string) => boolean): void {
  const changed = new Map<string, boolean>();
  for (const { id, effect, isNew } of changes) {
    if (isNew === true && (changed.get(id) ?? isOwed(id))) throw owedAlready(id);
    changed.set(id, effect !== null);
  }
}

export function owedAlready(id: string): Error {
  return new Error(`the effect ${id} is owed already, and a new one would replace it`);
}
