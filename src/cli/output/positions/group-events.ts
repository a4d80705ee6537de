import type { CopySuspected, GhostRemoved } from '../../../app/offsets/clear-group.ts';
import type { GroupAhead } from '../../../app/offsets/plan.ts';
import type { TopicIsNew } from '../../../app/run/events.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import type { Printer } from '../printer.ts';
import { printNotice } from '../store-notices.ts';
import { count, duration } from '../text.ts';

/** Events before a consumer or a reset has the group to itself. */
export type GroupEvent =
  TopicIsNew | GhostRemoved | CopySuspected | { readonly kind: 'notice'; readonly notice: StoreNotice };

export function printGroupEvent(printer: Printer, event: GroupEvent): void {
  switch (event.kind) {
    case 'notice':
      printNotice(printer, event.notice);
      break;
    case 'topic_is_new':
      printer.warn(
        `this folder has read ${event.others.join(', ')} so far, and nothing of ${event.topic}; its orders share users, ` +
          'stock and ids with what was read: was another --topic meant?',
      );
      break;
    case 'ghost_removed':
      printer.info(
        `removed from group ${event.group} a member that this folder left behind when its consumer was killed`,
      );
      break;
    case 'copy_suspected': {
      const { group, host, forMs } = event;
      printer.warn(
        `group ${group} has a member on ${host} with the id of this folder: the consumer of a copy of it, or what a ` +
          `consumer left that died elsewhere; waiting for up to ${duration(forMs)} for it to go`,
      );
      break;
    }
  }
}

/** A warning about a folder that is older than its group's offsets. */
export function aheadLine(topic: string, group: string, ahead: readonly GroupAhead[]): string {
  const records = ahead.reduce((sum, { committed, stored }) => sum + committed - stored, 0);
  const places = ahead.map(
    ({ partition, committed, stored }) => `${topic}/${partition} at ${committed}, here at ${stored}`,
  );
  return (
    `group ${group} is ${count(records, 'record')} ahead of this folder, by the mark of this very folder (` +
    `${places.join('; ')}): the folder is as it was before, restored from a backup or a copy of one that went on, or a ` +
    `reset was cut short. Reading continues from the folder's position, and decides again what the folder does not know. If ` +
    `the other one is still in use, give this one an id of its own: orderctl consume --new-id --group NAME`
  );
}
