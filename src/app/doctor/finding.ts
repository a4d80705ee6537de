import type { Advice } from '../../domain/advice.ts';
import type { Failure } from '../../domain/failure.ts';

export interface Check {
  readonly name: string;
  readonly state: 'ok' | 'warning' | 'error' | 'skipped';
  readonly message: string;
  /** What to do; null: nothing. */
  readonly fix: Advice | null;
  /** The failure behind an error. */
  readonly failure: Failure | null;
}

export type Finding = Pick<Check, 'state' | 'message'> & { fix?: Advice };
export const counted = (count: number, noun: string): string =>
  `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
export const ok = (message: string): Finding => ({ state: 'ok', message });
export const warning = (message: string, fix: Advice): Finding => ({ state: 'warning', message, fix });
