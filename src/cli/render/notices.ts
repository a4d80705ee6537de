import type { Edit } from '../../domain/edit.ts';
import type { StoreNotice } from '../../ports/store.ts';
import { editLine } from './rows.ts';
import type { Printer } from './print.ts';
import { count } from './words.ts';

/** Tells what the store has to tell. */
export function printNotice(printer: Printer, notice: StoreNotice): void {
  switch (notice.kind) {
    case 'hand_edit_merged':
      printer.info(`${notice.file}: took in a hand edit of ${count(notice.rows, 'row')}`);
      break;
    case 'file_broken':
      printer.warn(
        `${notice.message}${notice.fix === null ? '' : ` (${notice.fix})`}; the last good values stay in force, and the file is not written until it is mended`,
      );
      break;
    case 'file_mended':
      printer.info(`${notice.file}: mended, in use again`);
      break;
    case 'file_set_aside':
      printer.warn(
        `${notice.file} has too little in common with what it was: kept as ${notice.keptAs}, nothing of it counts; to go by it, make its changes in ${notice.file}`,
      );
      break;
    case 'file_missing':
      printer.warn(`${notice.file} is gone: that changes nothing, it is written anew`);
      break;
    case 'file_outdated':
      printer.warn(
        `${notice.file} was saved exactly as it was in an earlier version: that counts as no change, and it is written anew; to take a change back, use orderctl user update or inventory update`,
      );
      break;
    case 'stock_clamped':
      printer.warn(
        `item ${notice.item}: a hand edit came to ${notice.wanted} after the orders in between; it is 0 now`,
      );
      break;
    case 'recovered':
      printer.info(`recovered ${count(notice.journalRecords, 'commit')} from the journal after a crash`);
      break;
    case 'edit_taken_in':
      printEdit(printer, notice.edit);
      break;
    case 'copy_taken_in':
      printer.info(`${notice.file}: took in an edit of ${count(notice.rows, 'row')}`);
      break;
  }
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
      // Told where it is made.
      break;
  }
}
