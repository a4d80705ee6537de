import type { RecordResult } from '../../../app/run/events.ts';
import { count } from '../text.ts';
import { decisionLine, viewDecision, type DecisionName, type DecisionView } from './decision.ts';

/** At most this many decisions a second are printed one by one; beyond that, one line has the counts. */
export const LINES_A_SECOND = 20;
const WINDOW_MS = 1_000;

export interface MessageLine {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

const LEVELS: Readonly<Record<DecisionName, MessageLine['level']>> = {
  accepted: 'info',
  duplicate: 'info',
  rejected: 'warn',
  conflict: 'warn',
  dead_letter: 'warn',
};

const NAMES: Readonly<Record<DecisionName, readonly [one: string, many: string]>> = {
  accepted: ['accepted', 'accepted'],
  rejected: ['rejected', 'rejected'],
  duplicate: ['duplicate', 'duplicates'],
  conflict: ['conflict', 'conflicts'],
  dead_letter: ['dead letter', 'dead letters'],
};

/**
 * Limits how many decisions are printed as they happen: each on its own line, up to 20 a second; above that, one line a
 * second with counts by decision and reason. After a second with too many, the next second's decisions are held back
 * until it ends, so a steady flood prints only one line a second. Pure: the caller passes the time in milliseconds.
 */
export class DecisionThrottle {
  readonly #isShown: (level: MessageLine['level']) => boolean;
  #windowStart = Number.NEGATIVE_INFINITY;
  /** Printed one by one in this window. */
  #printed = 0;
  /** Whether decisions are held back until the window ends. */
  #isHolding = false;
  #held: DecisionView[] = [];
  readonly #counts = new Map<DecisionName, Map<string | null, number>>();
  #counted = 0;

  /** @param isShown whether a level is shown; levels that are not shown do not count towards the limit */
  constructor(isShown: (level: MessageLine['level']) => boolean = () => true) {
    this.#isShown = isShown;
  }

  /** @returns the lines to print now */
  add(results: readonly RecordResult[], nowMs: number): MessageLine[] {
    const lines = this.tick(nowMs);
    for (const result of results) {
      const decision = nameOf(result);
      if (!this.#isShown(LEVELS[decision])) continue;
      if (!this.#isHolding && this.#printed < LINES_A_SECOND) {
        this.#printed += 1;
        lines.push(lineOf(viewDecision(result)));
        continue;
      }
      if (this.#isHolding && this.#held.length <= LINES_A_SECOND) this.#held.push(viewDecision(result));
      this.#count(decision, reasonOf(result));
    }
    return lines;
  }

  /** Call about once a second. @returns the lines to print now */
  tick(nowMs: number): MessageLine[] {
    if (nowMs - this.#windowStart < WINDOW_MS) return [];
    const wasFull = this.#counted > 0 && !this.#isFew();
    const lines = this.flush();
    this.#windowStart = nowMs;
    this.#printed = 0;
    this.#isHolding = wasFull;
    return lines;
  }

  /** @returns what is left to print at the end */
  flush(): MessageLine[] {
    if (this.#counted === 0) return [];
    const lines = this.#isFew() ? this.#held.map(lineOf) : [this.#summary()];
    this.#held = [];
    this.#counts.clear();
    this.#counted = 0;
    return lines;
  }

  /** Whether the decisions held back are few enough to print one by one. */
  #isFew(): boolean {
    return this.#isHolding && this.#counted <= LINES_A_SECOND;
  }

  #count(decision: DecisionName, reason: string | null): void {
    let byReason = this.#counts.get(decision);
    if (byReason === undefined) this.#counts.set(decision, (byReason = new Map<string | null, number>()));
    byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
    this.#counted += 1;
  }

  #summary(): MessageLine {
    const parts: string[] = [];
    let level: MessageLine['level'] = 'info';
    for (const decision of ['accepted', 'rejected', 'duplicate', 'conflict', 'dead_letter'] as const) {
      const byReason = this.#counts.get(decision);
      if (byReason === undefined) continue;
      if (LEVELS[decision] === 'warn') level = 'warn';
      const total = [...byReason.values()].reduce((sum, n) => sum + n, 0);
      const reasons = [...byReason].flatMap(([reason, n]) => (reason === null ? [] : [`${reason} ${n}`]));
      const why = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`;
      parts.push(`${count(total, ...NAMES[decision])}${why}`);
    }
    const more = this.#isHolding ? '' : 'and more: ';
    return { level, text: `${more}${parts.join(', ')} in the last second` };
  }
}

function lineOf(view: DecisionView): MessageLine {
  return { level: LEVELS[view.decision], text: decisionLine(view) };
}

function nameOf(result: RecordResult): DecisionName {
  if (result.kind === 'dead_letter') return 'dead_letter';
  if (result.kind === 'duplicate') return result.sameContent ? 'duplicate' : 'conflict';
  return result.decided.outcome.kind;
}

function reasonOf(result: RecordResult): string | null {
  if (result.kind === 'dead_letter') return result.code;
  if (result.kind === 'decided' && result.decided.outcome.kind === 'rejected')
    return result.decided.outcome.reason;
  return null;
}
