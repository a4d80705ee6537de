import type { PositionMove } from '../../../app/offsets/plan.ts';
import type { MessageLine } from '../consume/decision-throttle.ts';
import { count } from '../text.ts';

/** Where reading of a partition continues, and the effect on its records. */
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

/** Explains that the requested or stored offset does not exist in the topic. */
export function clampLines(
  topic: string,
  { partition, before, after, clampedFrom, recreated, deleted }: PositionMove,
): MessageLine[] {
  const texts = [
    ...(recreated
      ? [
          `${topic}/${partition} is not the one that was read up to ${before ?? 0}: it was recreated, or this is another cluster; none of its records count as read`,
        ]
      : []),
    ...(clampedFrom === null
      ? []
      : [`${topic}/${partition} has no offset ${clampedFrom}: moved into range, to ${after}`]),
    ...(deleted === 0
      ? []
      : [
          `${topic}/${partition}: ${count(deleted, 'record')} from ${before ?? 0} on ${deleted === 1 ? 'was' : 'were'} deleted before being read, and ${deleted === 1 ? 'is' : 'are'} lost`,
        ]),
  ];
  return texts.map((text) => ({ level: 'warn', text }));
}

const CAUSES: Readonly<Record<PositionMove['cause'], string>> = {
  reset: 'position reset',
  group_moved: 'another tool moved the group; reading continues there',
  adopt: 'group taken over at its committed offset',
};
