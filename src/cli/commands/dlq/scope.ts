import type { Command } from 'commander';
import { offering } from '../../help.ts';
import type { DeadLetterScope } from '../../../app/dlq/dead-letters.ts';
import type { DeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import type { Session } from '../../session.ts';

const loadScopes = () => import('../../../app/dlq/scope.ts');

export interface ScopeFlags {
  readonly processor?: string;
}

/** Lets a command accept the processor whose dead letters it works on. */
export function takingScope(command: Command): Command {
  return command.addOption(
    offering(
      '--processor <NAME>',
      'dead letters of the topics that it reads; all: of every processor',
      'processors_or_all',
    ),
  );
}

/** The topics of the processor, or of the whole shop. @throws Failure invalid_value: no such processor */
export async function wideScopeOf(session: Session, flags: ScopeFlags): Promise<DeadLetterScope> {
  if (flags.processor !== undefined) return scopeOf(session, flags);
  const { dlqTopic, group, topics: names } = session.settings;
  return (await loadScopes()).scopeOfShop(dlqTopic, { group, names });
}

/**
 * The dead-letter topics to work on: those of the processor, those in the ids, or the one of the orders.
 *
 * @throws Failure invalid_value: no such processor
 */
export async function scopeOf(
  { settings }: Session,
  { processor }: ScopeFlags,
  ids: readonly DeadLetterId[] = [],
): Promise<DeadLetterScope> {
  const { dlqTopic, group, topics: names } = settings;
  const { scopeOfProcessor, scopeOfTopic } = await loadScopes();
  if (processor !== undefined) return scopeOfProcessor(processor, { group, names });
  const named = new Set(ids.map((id) => (id.kind === 'record' ? (id.topic ?? dlqTopic) : dlqTopic)));
  const [only = dlqTopic, ...others] = named;
  if (only === dlqTopic && others.length === 0) return scopeOfTopic(dlqTopic);
  return { topics: [...named], isNamed: true, of: null };
}
