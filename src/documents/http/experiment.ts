import { Type } from 'typebox';
import { EXPERIMENTS, MAX_SEED } from '../../domain/experiments/kinds.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

export const ExperimentKind = Type.Enum(EXPERIMENTS.map(({ kind }) => kind));
export const Seed = Type.Integer({ minimum: 0, maximum: MAX_SEED });

/** What an experiment leaves, and a line of `experiments.jsonl`. */
export const Experiment = object({
  id: Type.String(),
  kind: ExperimentKind,
  seed: Seed,
  started_at: Time,
  ended_at: Time,
  did: Type.Array(Type.String(), { description: 'in words, with the processes that were ended' }),
  back_ms: nullable(Count, 'until what was ended worked again; null: nothing was ended'),
  in_flight: nullable(Count, 'orders that were placed and not decided when it happened'),
  duplicates: nullable(Type.Integer(), 'records that were recognised as seen; null: not counted'),
  checks: Type.Array(
    object({
      what: Type.String(),
      expected: Type.Integer(),
      seen: nullable(Type.Integer(), 'null: it could not be counted'),
    }),
  ),
  differences: nullable(Count, 'found by an audit of the books; null: there was none'),
  ok: Type.Boolean({ description: 'all that was expected was seen, and the books balance' }),
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
    description: 'whether this is the shop of an "orderctl up" with a broker of its own',
  }),
  kinds: Type.Array(object({ kind: ExperimentKind, about: Type.String() })),
  running: nullable(ExperimentBegun, 'null: none'),
  experiments: Type.Array(Experiment, { description: 'the latest first' }),
});
export type ExperimentList = Document<typeof ExperimentList>;
