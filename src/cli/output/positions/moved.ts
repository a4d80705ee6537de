import type { CopySuspected } from '../../../app/offsets/clear-group.ts';
import type { GroupAhead, PositionMove } from '../../../app/offsets/plan.ts';
import type { MessageLine } from '../consume/decision-throttle.ts';
import { count, duration } from '../text.ts';

export function ghostLine(group: string): string {
  return `removed from group ${group} a member that this folder left behind when its consumer was killed`;
}

/** Of a member with this folder's id that may live. */
export function suspectLine({ group, host, forMs }: CopySuspected): string {
  return (
    `group ${group} has a member on ${host} with the id of this folder: the consumer of a copy of it, or what a ` +
    `consumer left that died elsewhere; waiting for up to ${duration(forMs)} whether it goes`
  );
}

/** Of a folder that is older than its group. */
export function aheadLine(topic: string, group: string, ahead: readonly GroupAhead[]): string {
  const records = ahead.reduce((sum, { committed, stored }) => sum + committed - stored, 0);
  const places = ahead.map(
    ({ partition, committed, stored }) => `${topic}/${partition} at ${committed}, here at ${stored}`,
  );
  return (
    `group ${group} stands ${count(records, 'record')} beyond this folder, by the mark of this very folder (` +
    `${places.join('; ')}): the folder is as it was before, restored from a backup or a copy of one that went on, or a ` +
    `reset was cut short. Reading goes on from where the folder stands, and decides again what it does not know. If ` +
    `the other one is still in use, give this one an id of its own: orderctl consume --new-id --group NAME`
  );
}

/** Where a partition goes on, and what that means for its records. */
export function moveLines(topic: string, move: PositionMove): MessageLine[] {
  const { partition, before, after, cause, readAgain, skipped } = move;
  const effects = [
    ...(readAgain > 0 ? [`${count(readAgain, 'record')} to be read again`] : []),
    ...(skipped > 0 ? [`${count(skipped, 'record')} skipped`] : []),
  ];
  const effect = effects.length === 0 ? '' : `, ${effects.join(', ')}`;
  const change = before === after ? `stays at ${after}` : `${before ?? 'none'} → ${after}`;
  const text = `${topic}/${partition}: ${CAUSES[cause]}, ${change}${effect}`;
  return [...clampLines(topic, move), { level: skipped > 0 ? 'warn' : 'info', text }];
}

/** Of a place that the topic does not have. */
export function clampLines(
  topic: string,
  { partition, clampedFrom, after }: Pick<PositionMove, 'partition' | 'clampedFrom' | 'after'>,
): MessageLine[] {
  if (clampedFrom === null) return [];
  const text = `${topic}/${partition} has no offset ${clampedFrom}: brought into range, to ${after}`;
  return [{ level: 'warn', text }];
}

const CAUSES: Readonly<Record<PositionMove['cause'], string>> = {
  reset: 'position reset',
  group_moved: 'another tool moved the group, which is honoured',
  adopt: 'group taken over at its committed offset',
};
