import type { Command } from 'commander';
import { registerEdit } from '../../tables/edit-command.ts';
import { registerImport } from '../../tables/import-command.ts';
import { registerLog } from '../../tables/log-command.ts';
import { registerUndo } from '../../tables/undo-command.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerAdd } from './add.ts';
import { registerRemove } from './remove.ts';
import { registerShow } from './show.ts';
import { registerUpdate } from './update.ts';

export function register(command: Command, session: Session): void {
  const inventory = describe(command, {
    prose:
      'Adds, changes, removes and shows items. Accepted orders reduce their stock. Items are stored in inventory.csv, ' +
      'which you may also edit by hand.',
    examples: [
      ['orderctl inventory add --item book --quantity 10', 'add an item'],
      ['orderctl inventory update --item book --by +20', 'add a delivery'],
    ],
  });
  registerAdd(inventory, session);
  registerUpdate(inventory, session);
  registerRemove(inventory, session);
  registerEdit(inventory, session, 'inventory');
  registerImport(inventory, session, 'inventory');
  registerLog(inventory, session, 'inventory');
  registerUndo(inventory, session, 'inventory');
  registerShow(inventory, session);
}
