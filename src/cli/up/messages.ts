import type { Experiment, ExperimentBegun, ExperimentList } from '../../documents/http/experiment.ts';
import type { ShopPart } from '../../app/overview/overview.ts';
import type { Advice } from '../../domain/advice.ts';
import type { FailureCode } from '../../domain/failure.ts';
import type { ExperimentKind } from '../../domain/experiments/kinds.ts';

/*
 * The messages between `up` and the server that it started, over Node's channel between parent and child. An answer has
 * the number of its request.
 */

export type Ask =
  | { readonly type: 'list'; readonly number: number }
  | {
      readonly type: 'begin';
      readonly number: number;
      readonly kind: ExperimentKind;
      /** null: random. */
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

/** Messages sent without a request. */
export type News =
  /** The processes of `up`, sent whenever one ends or is running again. */
  | { readonly type: 'parts'; readonly parts: readonly ShopPart[] }
  /** Sent by an `up` that answers requests; others send nothing. */
  | { readonly type: 'open' }
  | {
      readonly type: 'experiment';
      /** An experiment that started or ended. */
      readonly experiment: Experiment | ExperimentBegun;
    };
