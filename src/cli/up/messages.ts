import type { Experiment, ExperimentBegun, ExperimentList } from '../../documents/http/experiment.ts';
import type { ShopPart } from '../../app/overview/overview.ts';
import type { Advice } from '../../domain/advice.ts';
import type { FailureCode } from '../../domain/failure.ts';
import type { ExperimentKind } from '../../domain/experiments/kinds.ts';

/*
 * What `up` and the server that it has started send each other over Node's channel between parent and child. Numbers
 * tell answers apart.
 */

export type Ask =
  | { readonly type: 'list'; readonly number: number }
  | {
      readonly type: 'begin';
      readonly number: number;
      readonly kind: ExperimentKind;
      /** null: by chance. */
      readonly seed: number | null;
    };

export type Answer =
  | { readonly type: 'answer'; readonly number: number; readonly result: ExperimentList | ExperimentBegun }
  | {
      readonly type: 'refused';
      readonly number: number;
      readonly code: FailureCode;
      readonly message: string;
      readonly fix: Advice | null;
    };

/** What nobody has asked for. */
export type News =
  /** The processes of `up`, whenever one ends or is back. */
  | { readonly type: 'parts'; readonly parts: readonly ShopPart[] }
  /** Of an `up` that answers: others say nothing. */
  | { readonly type: 'open' }
  | {
      readonly type: 'experiment';
      /** It has begun, or ended. */
      readonly experiment: Experiment | ExperimentBegun;
    };
