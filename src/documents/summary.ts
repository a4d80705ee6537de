import { Type } from 'typebox';
import { REASONS } from '../domain/orders/reasons.ts';
import { Count, CountByName, COUNTS, nullable, object, Seconds, type Document } from './shapes.ts';

const Unknown = Type.Integer({
  minimum: 0,
  description: 'sent, but never acknowledged: they may or may not have arrived',
});

const SENT = {
  topic: Type.String(),
  sent: Count,
  failed: Count,
  unknown: Unknown,
  interrupted: Type.Boolean(),
  seconds: Seconds,
};

const REPLAY = {
  replay_id: Type.String(),
  dry_run: Type.Boolean(),
  selected: Count,
};

export const ProduceSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('produce'),
  ...SENT,
});
export type ProduceSummary = Document<typeof ProduceSummary>;

export const ReplaySummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('replay'),
  ...SENT,
  ...REPLAY,
  fulfilled: Type.Integer({ minimum: 0, description: 'left out, because a retry was accepted' }),
  already_decided: Count,
  undecided: Count,
  resume_after: nullable(Type.String(), 'the last order sent, if more are left'),
});
export type ReplaySummary = Document<typeof ReplaySummary>;

const STOPPED_BY = Type.Enum(['end', 'signal', 'max_messages', 'error']);

const PARTITIONS = Type.Array(
  object({
    partition: Count,
    first: Type.Integer({ minimum: 0, description: 'the offset at which reading started' }),
    next: Type.Integer({ minimum: 0, description: 'the offset to read next' }),
    end: Count,
    lag: Type.Integer(),
  }),
);

export const ConsumeSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('consume'),
  ...COUNTS,
  rejected_by_reason: Type.Partial(Type.Record(Type.Enum(REASONS), Count), { additionalProperties: false }),
  ignored_prices: Type.Integer({ minimum: 0, description: 'lines whose unit_price is not an amount' }),
  skipped: Type.Integer({ minimum: 0, description: 'records skipped because a position was moved' }),
  commits: Count,
  stopped_by: STOPPED_BY,
  seconds: Seconds,
  partitions: PARTITIONS,
});
export type ConsumeSummary = Document<typeof ConsumeSummary>;

export const RunSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('run'),
  stopped_by: STOPPED_BY,
  seconds: Seconds,
  processors: Type.Array(
    object({
      processor: Type.String(),
      group: Type.String(),
      read: Count,
      dead_lettered: Count,
      outcomes: CountByName,
      commits: Count,
      skipped: Count,
      topics: Type.Array(object({ topic: Type.String(), partitions: PARTITIONS })),
    }),
  ),
  unsent: Type.Record(Type.String(), Count, {
    description: 'messages that the next run will send, by destination',
  }),
  effects_owed: Type.Integer({ minimum: 0, description: 'pending effects that the next run will perform' }),
});
export type RunSummary = Document<typeof RunSummary>;

const DLQ_TOPIC = nullable(Type.String(), 'the dead-letter topic; null: several');

export const DeadLetterListSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('dlq list'),
  total: Count,
  by_error_code: CountByName,
  by_state: object({ open: Count, redriven: Count, discarded: Count }),
  by_group: CountByName,
  listed: Type.Integer({ minimum: 0, description: 'less than the total if limited by --limit' }),
  topic: DLQ_TOPIC,
});
export type DeadLetterListSummary = Document<typeof DeadLetterListSummary>;

export const RedriveSummary = object({
  type: Type.Literal('summary'),
  command: Type.Literal('dlq redrive'),
  topic: DLQ_TOPIC,
  ...REPLAY,
  sent: Count,
  failed: Count,
  unknown: Unknown,
  by_topic: CountByName,
  skipped: Count,
  skipped_by_reason: CountByName,
  fails_again: nullable(Count, 'in a dry run, how many would fail again; null: not known'),
  interrupted: Type.Boolean(),
  seconds: Seconds,
});
export type RedriveSummary = Document<typeof RedriveSummary>;
