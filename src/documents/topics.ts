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

/** A pending action of `topics apply`. */
const TopicAction = Type.Union([object(CREATE), object(ADD_PARTITIONS), object(ALTER_CONFIG)]);
export type TopicAction = Document<typeof TopicAction>;

const Brokers = Type.Integer({ minimum: 0, description: 'number of brokers in the cluster' });

/** `topics show`: the topics as declared and as they are in the cluster. */
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

/** The result of `topics apply`. */
export const AppliedTopics = object({
  executed: Type.Boolean(),
  brokers: Brokers,
  actions: Type.Array(DoneTopicAction),
  warnings: Type.Array(Type.String()),
});
export type AppliedTopics = Document<typeof AppliedTopics>;

/** The result of `setup`; `done` is false in a dry run. */
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
        versions: Type.Array(Count, { description: 'versions that the subject had before' }),
        ...DONE,
      }),
    ]),
  ),
  warnings: Type.Array(Type.String()),
});
export type Setup = Document<typeof Setup>;
