import { isFailure, type Failure } from '../../domain/failure.ts';
import { orderTopics } from '../../domain/topics/declared-topics.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import { planTopics } from '../topics/plan.ts';
import { counted, ok, warning, type Finding } from './finding.ts';

/** @returns null: the topic exists */
export async function whyMissing(admin: BrokerAdmin, topic: string): Promise<string | null> {
  try {
    return (await admin.partitionCount(topic)) === undefined ? `topic ${topic} does not exist` : null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    if (!isDenied(error)) return error.message;
    return `no permission to describe topic ${topic}: see topics`;
  }
}

/** A processor may have only the rights that it needs: none on other topics, and none to read configurations. */
export async function unlessDenied(check: () => Promise<Finding>): Promise<Finding> {
  try {
    return await check();
  } catch (error) {
    if (!isFailure(error) || !isDenied(error)) throw error;
    return warning(`not compared with the declared topics: ${error.message}`, { kind: 'check_acls' });
  }
}

export function isDenied({ code, fix }: Failure): boolean {
  return code === 'broker_refused' && typeof fix === 'object' && fix?.kind === 'check_acls';
}

export async function checkTopics(
  admin: BrokerAdmin,
  options: Parameters<typeof orderTopics>[0],
): Promise<Finding> {
  const { actions, warnings, topics, brokers } = await planTopics(admin, orderTopics(options));
  if (actions.length === 0) {
    const isFull = topics.every(
      ({ actual, possibleReplication }) => (actual?.replication ?? 0) >= possibleReplication,
    );
    if (!isFull) return warning(warnings.join('; '), { kind: 'show_topics' });
    // A cluster with this number of brokers cannot do better.
    return ok(
      warnings.length === 0
        ? 'as declared'
        : `as declared, except for the copies: there ${brokers === 1 ? 'is' : 'are'} ${counted(brokers, 'broker')}`,
    );
  }
  const missing = actions.flatMap((action) => (action.kind === 'create' ? [action.declared.topic] : []));
  return warning(missing.length > 0 ? `missing: ${missing.join(', ')}` : 'not as declared', {
    kind: 'apply_topics',
  });
}
