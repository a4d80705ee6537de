import { Type } from 'typebox';
import { object, type Document } from './shapes.ts';

const RULE = {
  principal: Type.String({ description: 'the authenticated user, as the brokers name it' }),
  resource: Type.Enum(['topic', 'group', 'cluster', 'other']),
  pattern: Type.Enum(['literal', 'prefixed', 'other']),
  name: Type.String({ description: 'of the resource, or its prefix' }),
  operation: Type.String({ description: "by Kafka's name" }),
  permission: Type.Enum(['allow', 'deny', 'other']),
  host: Type.String({ description: "the client's host; * matches any host" }),
};
const ACTION = { action: Type.Enum(['grant', 'revoke']), ...RULE };

/** `acl show`: the rules that are needed and those that the cluster has. */
export const Acls = object({
  rules: Type.Array(
    object({
      ...RULE,
      state: Type.Enum(['granted', 'missing', 'extra', 'denied', 'other'], {
        description:
          'granted, missing: needed; extra: of one of these principals, but not needed; denied: denies a needed ' +
          'right; other: of another principal, on a resource of the shop',
      }),
    }),
  ),
  actions: Type.Array(object(ACTION)),
});
export type Acls = Document<typeof Acls>;

/** An action of `acl apply` or `setup`; `done` is false in a dry run. */
export const DoneAclAction = object({ ...ACTION, done: Type.Boolean() });

/** The result of `acl apply`. */
export const AppliedAcls = object({
  executed: Type.Boolean(),
  actions: Type.Array(DoneAclAction),
});
export type AppliedAcls = Document<typeof AppliedAcls>;
