import { Type } from 'typebox';
import { DoneAclAction } from './acl.ts';
import { Count, nullable, object, type Document } from './shapes.ts';

const CREATE = {
  action: Type.Literal('create'),
  topic: Type.String(),
  partitions: Count,
  replication: Count,
  configs: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()])),
};

const ADD_PARTITIONS = {
  action: Type.Literal('add_partitions'),
  topic: Type.String(),
  before: Count,
  after: Count,
};

const ALTER_CONFIG = {
  action: Type.Literal('alter_config'),
  topic: Type.String(),
  name: Type.String(),
  before: nullable(Type.String()),
  after: Type.String(),
};

/** What `topics apply` would do. */
const TopicAction = Type.Union([object(CREATE), object(ADD_PARTITIONS), object(ALTER_CONFIG)]);
export type TopicAction = Document<typeof TopicAction>;

const Brokers = Type.Integer({ minimum: 0, description: 'how many the cluster has' });

/** `topics show`: what is declared and what the cluster has. */
export const Topics = object({
  brokers: Brokers,
  topics: Type.Array(
    object({
      message: Type.String({ description: 'its name in the catalogue' }),
      topic: Type.String(),
      exists: Type.Boolean(),
      partitions: object({ declared: Count, actual: nullable(Count) }),
      replication: object({ declared: Count, possible: Count, actual: nullable(Count) }),
      configs: Type.Array(
        object({ name: Type.String(), declared: Type.String(), actual: nullable(Type.String()) }),
      ),
      compacted: Type.Boolean(),
    }),
  ),
  actions: Type.Array(TopicAction),
  warnings: Type.Array(Type.String()),
});
export type Topics = Document<typeof Topics>;

const DONE = { done: Type.Boolean() };

const DoneTopicAction = Type.Union([
  object({ ...CREATE, ...DONE }),
  object({ ...ADD_PARTITIONS, ...DONE }),
  object({ ...ALTER_CONFIG, ...DONE }),
]);

/** What came of `topics apply`. */
export const AppliedTopics = object({
  executed: Type.Boolean(),
  brokers: Brokers,
  actions: Type.Array(DoneTopicAction),
  warnings: Type.Array(Type.String()),
});
export type AppliedTopics = Document<typeof AppliedTopics>;

/** What came of `setup`; `done` is false in a dry run. */
export const Setup = object({
  executed: Type.Boolean(),
  brokers: Brokers,
  actions: Type.Array(
    Type.Union([
      object({ action: Type.Literal('create_store'), store: Type.String(), ...DONE }),
      DoneTopicAction,
      DoneAclAction,
      object({
        action: Type.Literal('register_schema'),
        message: Type.String({ description: 'in the catalogue' }),
        subject: Type.String(),
        versions: Type.Array(Count, { description: 'that the subject has before' }),
        ...DONE,
      }),
    ]),
  ),
  warnings: Type.Array(Type.String()),
});
export type Setup = Document<typeof Setup>;
