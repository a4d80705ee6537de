import path from 'node:path';
import type { Edit } from '../../domain/edit.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { SET_ASIDE_CAUSES, type SetAside } from '../../domain/set-aside.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import { editLine } from './table-rows.ts';
import type { Printer } from './printer.ts';
import { wayOut } from '../hints.ts';
import { count } from './text.ts';

/** Prints what the store reports. */
export function printNotice(printer: Printer, notice: StoreNotice): void {
  switch (notice.kind) {
    case 'hand_edit_merged':
      printer.info(
        `${notice.file}: applied a hand edit of ${count(notice.rows, 'row')} (${changedRows(notice)})${madeFrom(notice.madeFrom)}`,
      );
      break;
    case 'file_broken':
      printer.warn(
        `${notice.message}${notice.fix === null ? '' : ` (${wayOut(notice.fix)})`}; the last valid values stay in effect; fix the file, or remove it to have it rewritten with them`,
      );
      break;
    case 'file_mended':
      printer.info(`${notice.file}: fixed, in use again`);
      break;
    case 'file_set_aside':
      if (notice.keptAs !== null) printer.warn(keptAsideText({ file: notice.keptAs, why: notice.why }));
      else {
        printer.warn(
          `${notice.file} cannot be applied and will be set aside: ${SET_ASIDE_CAUSES[notice.why]}`,
        );
      }
      break;
    case 'file_missing':
      printer.warn(`${notice.file} was deleted: this changes nothing, it is written again`);
      break;
    case 'file_outdated':
      printer.warn(
        `${notice.file} was saved with exactly the content of an earlier version: this counts as no change, and the file is written again; to return to that version, make the change with orderctl ${nounOf(notice.file)} edit`,
      );
      break;
    case 'stock_clamped':
      printer.warn(
        `item ${notice.item}: a hand edit results in ${notice.wanted} after the orders in between; it is ${notice.left} now`,
      );
      break;
    case 'upgraded':
      printer.info(
        `the folder was upgraded from format ${notice.from} to ${notice.to}, which earlier versions cannot read; the replaced files are kept in ${notice.keptIn}`,
      );
      break;
    case 'recovered':
      printer.info(`recovered ${count(notice.journalRecords, 'commit')} from the journal after a crash`);
      break;
    case 'orders_archived':
      printer.warn(
        `${count(notice.orders, 'order')} up to ${isoTime(notice.untilMs)} ${notice.orders === 1 ? 'is' : 'are'} archived and not included here; to read them too, name their folder: --archive DIR`,
      );
      break;
    case 'edit_taken_in':
      printEdit(printer, notice.edit);
      break;
    case 'copy_taken_in':
      printer.info(`${notice.file}: applied an edit of ${count(notice.rows, 'row')}`);
      break;
  }
}

/** `pen, book removed and 4 more` */
function changedRows({ rows, changes }: Extract<StoreNotice, { kind: 'hand_edit_merged' }>): string {
  const named = changes
    .map(({ name, change }) => (change === 'changed' ? name : `${name} ${change}`))
    .join(', ');
  return rows > changes.length ? `${named} and ${rows - changes.length} more` : named;
}

/** The version that a hand edit was based on, by its local time; with its date unless it is recent. */
function madeFrom(version: { readonly at: number; readonly isOwnSave: boolean } | null): string {
  // Versions recorded by older releases have no time.
  if (version === null || version.at === 0) return '';
  const at = new Date(version.at);
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
  const day = at.toDateString() === new Date().toDateString() ? '' : `${isoTime(version.at).slice(0, 10)} `;
  return `, made from the ${version.isOwnSave ? 'save' : 'version'} of ${day}${time}`;
}

/** Describes, on one line, a file that was set aside and waits for the user. */
export function keptAsideText({ file, why }: { readonly file: string; readonly why: SetAside }): string {
  return (
    `${file} was set aside, and none of its changes apply: ${SET_ASIDE_CAUSES[why]}; to carry over its changes: ` +
    `orderctl ${nounOf(file)} edit --settled, which then removes it`
  );
}

function nounOf(file: string): 'user' | 'inventory' {
  return path.basename(file).startsWith('users.') ? 'user' : 'inventory';
}

function printEdit(printer: Printer, edit: Edit): void {
  switch (edit.kind) {
    case 'user':
    case 'item':
      printer.info(`edit: ${editLine(edit)}`);
      break;
    case 'dead_letter':
      printer.info(`edit: ${count(edit.letters.length, 'dead letter')} of ${edit.topic} ${edit.action}`);
      break;
    case 'position':
      // The command that makes the edit reports it.
      break;
  }
}
