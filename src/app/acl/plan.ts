import { concerns, idOfRule, ruleOf, type AccessRule, type Right } from '../../domain/access/rights.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';

export interface AclState {
  readonly rule: AccessRule;
  /**
   * `granted` and `missing`: a rule that is needed, and exists or not. `extra`: an unneeded rule of one of the
   * principals. `denied`: a rule that takes away a needed right. `other`: a rule of another principal on a resource of
   * the shop.
   */
  readonly state: 'granted' | 'missing' | 'extra' | 'denied' | 'other';
}

export interface AclAction {
  readonly kind: 'grant' | 'revoke';
  readonly rule: AccessRule;
}

export interface AclPlan {
  readonly states: readonly AclState[];
  /** Grants come first, so that no one is locked out in between. */
  readonly actions: readonly AclAction[];
}

/**
 * Compares the needed rights with the rules of the cluster. Changes nothing.
 *
 * @param options.removeExtra also plan to remove unneeded rules of the principals, including denials
 * @param options.principals further principals whose rules are compared: a role may no longer need any rights
 * @param options.elsewhere rights of roles that are not planned here: their rules are neither shown nor removed
 * @returns null: these brokers have no authorizer, and allow everything
 * @throws Failure as BrokerAdmin
 */
export async function planAcls(
  admin: BrokerAdmin,
  wanted: readonly Right[],
  options: {
    readonly removeExtra: boolean;
    readonly principals?: readonly string[];
    readonly elsewhere?: readonly Right[];
  },
): Promise<AclPlan | null> {
  const { removeExtra, principals = [], elsewhere = [] } = options;
  const rules = await admin.accessRules();
  if (rules === null) return null;
  const needed = new Map(wanted.map(ruleOf).map((rule) => [idOfRule(rule), rule]));
  const existing = new Set(rules.map(idOfRule));
  const ours = new Set([...principals, ...wanted.map(({ principal }) => principal)]);
  const isOurs = ({ principal }: AccessRule): boolean => ours.has(principal);
  const known = new Set(elsewhere.map((right) => idOfRule(ruleOf(right))));
  const found = rules.flatMap((rule): AclState[] => {
    if (needed.has(idOfRule(rule))) return [{ rule, state: 'granted' }];
    if (known.has(idOfRule(rule))) return [];
    const onOurs = wanted.filter((right) => concerns(rule, right));
    if (rule.permission === 'deny' && onOurs.some((right) => takesAway(rule, right)))
      return [{ rule, state: 'denied' }];
    if (isOurs(rule)) return [{ rule, state: 'extra' }];
    return onOurs.length > 0 && rule.resource !== 'cluster' ? [{ rule, state: 'other' }] : [];
  });
  const missing = [...needed].filter(([id]) => !existing.has(id)).map(([, rule]) => rule);
  const states: AclState[] = [...missing.map((rule) => ({ rule, state: 'missing' as const })), ...found];
  const extra = found.filter(({ rule, state }) => state === 'extra' || (state === 'denied' && isOurs(rule)));
  return {
    states: states.sort((a, b) => compare(keyOf(a), keyOf(b))),
    actions: [
      ...missing.map((rule) => ({ kind: 'grant' as const, rule })),
      ...(removeExtra ? extra.map(({ rule }) => ({ kind: 'revoke' as const, rule })) : []),
    ],
  };
}

/** Whether a denial takes away a right. */
function takesAway(rule: AccessRule, { principal, operation }: Right): boolean {
  const isAboutIt = rule.operation === operation || rule.operation === 'all' || rule.operation === 'describe';
  return isAboutIt && (rule.principal === principal || rule.principal === 'User:*');
}

function keyOf({ rule }: AclState): string {
  return [rule.principal, rule.resource, rule.name, rule.operation].join(' ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** Carries out a plan: all grants in one request, then all removals. @param onDone called for each action */
export async function applyAcls(
  admin: BrokerAdmin,
  actions: readonly AclAction[],
  onDone: (action: AclAction) => Promise<void>,
): Promise<void> {
  for (const kind of ['grant', 'revoke'] as const) {
    const some = actions.filter((action) => action.kind === kind);
    if (some.length === 0) continue;
    const rules = some.map(({ rule }) => rule);
    await (kind === 'grant' ? admin.allow(rules) : admin.removeRules(rules));
    for (const action of some) await onDone(action);
  }
}
