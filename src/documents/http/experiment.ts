import { Type } from 'typebox';
import { EXPERIMENTS, MAX_SEED } from '../../domain/experiments/kinds.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

export const ExperimentKind = Type.Enum(EXPERIMENTS.map(({ kind }) => kind));
export const Seed = Type.Integer({ minimum: 0, maximum: MAX_SEED });

/** The report of an experiment, which is also a line of `experiments.jsonl`. */
export const Experiment = object({
  id: Type.String(),
  kind: ExperimentKind,
  seed: Seed,
  started_at: Time,
  ended_at: Time,
  did: Type.Array(Type.String(), { description: 'the actions taken, with the processes that were stopped' }),
  back_ms: nullable(Count, 'time until the stopped processes worked again; null: none was stopped'),
  in_flight: nullable(Count, 'orders placed but not yet processed at the time of the fault'),
  duplicates: nullable(Type.Integer(), 'records recognised as duplicates; null: not counted'),
  checks: Type.Array(
    object({
      what: Type.String(),
      expected: Type.Integer(),
      seen: nullable(Type.Integer(), 'null: could not be counted'),
    }),
  ),
  differences: nullable(Count, 'found by an audit of the books; null: there was no audit'),
  ok: Type.Boolean({ description: 'every expectation was met and the books balance' }),
  problem: nullable(Type.String(), 'why it could not be carried out'),
});
export type Experiment = Document<typeof Experiment>;

const BEGUN = { id: Type.String(), kind: ExperimentKind, seed: Seed };

/** `POST /experiments`. */
export const ExperimentBegun = object(BEGUN);
export type ExperimentBegun = Document<typeof ExperimentBegun>;

/** `GET /experiments`. */
export const ExperimentList = object({
  available: Type.Boolean({
    description: 'whether this shop was started by "orderctl up" with its own broker',
  }),
  kinds: Type.Array(object({ kind: ExperimentKind, about: Type.String() })),
  running: nullable(ExperimentBegun, 'null: none'),
  experiments: Type.Array(Experiment, { description: 'newest first' }),
});
export type ExperimentList = Document<typeof ExperimentList>;
