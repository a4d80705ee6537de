import { Type } from 'typebox';
import { object, type Document } from './shapes.ts';

const RULE = {
  principal: Type.String({ description: 'as the brokers know who signed in' }),
  resource: Type.Enum(['topic', 'group', 'cluster', 'other']),
  pattern: Type.Enum(['literal', 'prefixed', 'other']),
  name: Type.String({ description: 'of the resource, or what it begins with' }),
  operation: Type.String({ description: "by Kafka's name" }),
  permission: Type.Enum(['allow', 'deny', 'other']),
  host: Type.String({ description: 'from where; * is everywhere' }),
};
const ACTION = { action: Type.Enum(['grant', 'revoke']), ...RULE };

/** `acl show`: what is needed and what the cluster has. */
export const Acls = object({
  rules: Type.Array(
    object({
      ...RULE,
      state: Type.Enum(['granted', 'missing', 'extra', 'denied', 'other'], {
        description:
          'granted, missing: needed; extra: of one of these principals, and not needed; denied: in the way of what is ' +
          'needed; other: of somebody else, on what belongs to the shop',
      }),
    }),
  ),
  actions: Type.Array(object(ACTION)),
});
export type Acls = Document<typeof Acls>;

/** An action of `acl apply`, of which `setup` has some too; `done` is false in a dry run. */
export const DoneAclAction = object({ ...ACTION, done: Type.Boolean() });

/** What came of `acl apply`. */
export const AppliedAcls = object({
  executed: Type.Boolean(),
  actions: Type.Array(DoneAclAction),
});
export type AppliedAcls = Document<typeof AppliedAcls>;
