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
          'stock and ids with what was read: did you mean another --topic?',
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
        `group ${group} has a member on ${host} with the id of this folder: the consumer of a copy of this ` +
          `folder, or left by one that died elsewhere; waiting up to ${duration(forMs)} for it to leave`,
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
    `group ${group} is ${count(records, 'record')} ahead of this folder, by the folder's own mark (` +
    `${places.join('; ')}): the folder is out of date (restored from a backup, or a copy of one that was used ` +
    `further), or a reset was interrupted. Reading continues from the folder's position, and processes again ` +
    `what the folder does not know. If the other folder is still in use, give this one its own id: ` +
    `orderctl consume --new-id --group NAME`
  );
}
