import fs from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyAcls, planAcls, type AclPlan } from '../../src/app/acl/plan.ts';
import { ROLES, selectRoles, wantedRights, type Role } from '../../src/app/acl/wanted.ts';
import { ruleOf, type AccessRule, type Right } from '../../src/domain/access/rights.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { topicOf } from '../../src/domain/messages/topic-names.ts';
import { rightsOf } from '../support/rights.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const SHOP = {
  names: new Map([['orders.created', 'shop.orders']]),
  group: 'g',
  principal: 'User:{group}.{role}',
  hasEvents: true,
  isShared: false,
};

/** Topics on which a role may do that. */
function topicsOf(role: Role, operation: string, shop: Partial<typeof SHOP> = {}): string[] {
  return wantedRights({ ...SHOP, ...shop }, [role])
    .filter((right) => right.resource === 'topic' && right.operation === operation)
    .map(({ name }) => name);
}

describe('what is needed', () => {
  it('of each topic to read is what its readers in the catalogue have, with their groups', () => {
    for (const message of MESSAGES) {
      const topic = topicOf(message, SHOP.names);
      const readers = ROLES.filter((role) => topicsOf(role, 'read').includes(topic));
      const inCatalogue = readers.filter((role) => role !== 'operator' && role !== 'api');
      expect(inCatalogue.sort(), topic).toEqual([...message.readers].sort());
    }
    const groups = wantedRights(SHOP, ['payment']).filter(({ resource }) => resource === 'group');
    expect(groups.map(({ name }) => name)).toEqual(['g.payment']);
    expect(wantedRights(SHOP, ['orders'])).toContainEqual({
      principal: 'User:g.orders',
      resource: 'group',
      name: 'g',
      operation: 'read',
    });
  });

  it('of a processor to write is what it sends, and the dead letters of which it is the first reader', () => {
    expect(topicsOf('notification', 'write', { hasEvents: false }).sort()).toEqual(
      ['notifications.outbound', 'orders.rejected.dlq', 'payments.failed.dlq', 'payments.refunded.dlq']
        .concat('shipments.dispatched.dlq')
        .sort(),
    );
    expect(topicsOf('notification', 'describe')).toContain('shipments.created.dlq');
    expect(topicsOf('validation', 'read')).toEqual(['shop.orders']);
    expect(topicsOf('validation', 'write')).toContain('shop.orders.dlq');
  });

  it.each([
    ['a folder', false],
    ['PostgreSQL', true],
  ])('of each role on %s is what test/support/rights.ts has', (_, isShared) => {
    const shop = { ...SHOP, names: new Map<string, string>(), group: 'orderctl', isShared };
    for (const role of ROLES) {
      const found: Record<string, string[]> = {};
      for (const { resource, name, operation } of wantedRights(shop, [role]))
        (found[`${resource} ${name}`] ??= []).push(operation);
      for (const operations of Object.values(found)) operations.sort();
      expect(found, role).toEqual(rightsOf(role, isShared));
    }
  });

  it('of Connect, on PostgreSQL, is what its connectors name', () => {
    const folder = path.resolve(import.meta.dirname, '../../deploy/connect/connectors');
    const connectors = fs.readdirSync(folder).map((file) => {
      const text = fs.readFileSync(path.join(folder, file), 'utf8');
      return JSON.parse(text) as { name: string; config: Record<string, string> };
    });
    const listOf = (key: string) => connectors.flatMap(({ config }) => config[key]?.split(',') ?? []);
    const read = listOf('topics').map((name) =>
      name === '${env:CONNECT_INVENTORY_UPDATES}' ? 'inventory_updates' : name,
    );
    const tables = connectors.find(({ name }) => name === 'stock-tables')?.config;
    const written = (tables?.['table.include.list'] ?? '')
      .split(',')
      .map((table) => `${tables?.['topic.prefix']}.${table}`);
    const groups = connectors.filter(({ config }) => config.topics).map(({ name }) => `connect-${name}`);
    expect(topicsOf('connect', 'read', { isShared: true }).sort()).toEqual(read.sort());
    expect(topicsOf('connect', 'write', { isShared: true }).sort()).toEqual(['orders', ...written].sort());
    expect(topicsOf('connect', 'create', { isShared: true }).sort()).toEqual(written.sort());
    const rights = wantedRights({ ...SHOP, isShared: true }, ['connect']);
    const found = rights.filter(({ resource }) => resource === 'group').map(({ name }) => name);
    expect(found.sort()).toEqual(groups.sort());
    expect(wantedRights(SHOP, ['connect'])).toEqual([]);
  });

  it('may be one principal for several roles: each right once', () => {
    const rights = wantedRights({ ...SHOP, principal: 'User:CN={group}' }, ['orders', 'inventory']);
    expect(new Set(rights.map(({ principal }) => principal))).toEqual(new Set(['User:CN=g']));
    expect(new Set(rights.map((right) => JSON.stringify(right))).size).toBe(rights.length);
  });

  it('is of roles that there are', () => {
    expect(selectRoles([])).toBe(ROLES);
    expect(selectRoles(['api', 'orders'])).toEqual(['orders', 'api']);
    expect(() => selectRoles(['nobody'])).toThrow(/no role "nobody"/);
  });
});

describe('rules against what is needed', () => {
  const write: Right = { principal: 'User:a', resource: 'topic', name: 'orders', operation: 'write' };
  const read: Right = { ...write, operation: 'read' };
  let broker: ScriptedBroker;
  beforeEach(() => {
    broker = new ScriptedBroker();
    broker.rules = [];
  });

  async function plan(removeExtra = false, elsewhere: readonly Right[] = []): Promise<AclPlan> {
    const found = await planAcls(await broker.admin(), [write, read], { removeExtra, elsewhere });
    if (found === null) throw new Error('there are rules');
    return found;
  }
  const statesOf = ({ states }: AclPlan): string[] => states.map(({ state }) => state);

  it('are none at all where the brokers have no authorizer', async () => {
    broker.rules = null;
    expect(await planAcls(await broker.admin(), [write], { removeExtra: false })).toBeNull();
  });

  it('are added where they are missing; then nothing is left to do', async () => {
    broker.rules = [ruleOf(write)];
    const before = await plan();
    expect(statesOf(before).sort()).toEqual(['granted', 'missing']);
    const done: AccessRule[] = [];
    await applyAcls(await broker.admin(), before.actions, async ({ rule }) => void done.push(rule));
    expect(done).toEqual([ruleOf(read)]);
    expect((await plan()).actions).toEqual([]);
  });

  it('that are wider or of another topic are extra, and go only when asked', async () => {
    const extra: AccessRule[] = [
      { ...ruleOf(write), name: 'other' },
      { ...ruleOf(write), operation: 'all' },
      { ...ruleOf(write), pattern: 'prefixed', name: 'ord' },
    ];
    broker.rules = [ruleOf(write), ruleOf(read), ...extra];
    expect(statesOf(await plan()).filter((state) => state === 'extra')).toHaveLength(3);
    expect((await plan()).actions).toEqual([]);
    await applyAcls(await broker.admin(), (await plan(true)).actions, async () => undefined);
    expect(broker.rules).toEqual([ruleOf(write), ruleOf(read)]);
  });

  it('of one of ours who needs none are extra', async () => {
    const rule = { ...ruleOf(read), principal: 'User:c' };
    broker.rules = [rule];
    const how = { removeExtra: true, principals: ['User:a', 'User:c'] };
    const found = await planAcls(await broker.admin(), [write], how);
    expect(found?.states).toContainEqual({ rule, state: 'extra' });
    expect(found?.actions).toContainEqual({ kind: 'revoke', rule });
  });

  it('of others on what is ours are shown and never removed; those of other roles are neither', async () => {
    const others: AccessRule[] = [
      { ...ruleOf(read), principal: 'User:b' },
      { ...ruleOf(read), principal: 'User:b', name: '*' },
      { ...ruleOf(read), principal: 'User:b', name: 'elsewhere' },
    ];
    const role: Right = { ...read, principal: 'User:c' };
    broker.rules = [ruleOf(write), ruleOf(read), ...others, ruleOf(role)];
    const found = await plan(true, [role]);
    expect(found.states.filter(({ state }) => state === 'other').map(({ rule }) => rule.name)).toEqual([
      '*',
      'orders',
    ]);
    expect(found.actions).toEqual([]);
  });

  it('that deny what is needed are named; ours are removed when asked', async () => {
    const deny: AccessRule = { ...ruleOf(write), permission: 'deny' };
    const everybody: AccessRule = { ...deny, principal: 'User:*', operation: 'all' };
    broker.rules = [ruleOf(write), ruleOf(read), deny, everybody];
    const found = await plan(true);
    expect(statesOf(found).filter((state) => state === 'denied')).toHaveLength(2);
    expect(found.actions).toEqual([{ kind: 'revoke', rule: deny }]);
  });
});
