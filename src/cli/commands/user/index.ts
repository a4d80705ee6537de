import type { Command } from 'commander';
import { registerEdit } from '../../tables/edit-command.ts';
import { registerImport } from '../../tables/import-command.ts';
import { registerLog } from '../../tables/log-command.ts';
import { registerUndo } from '../../tables/undo-command.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerAdd } from './add.ts';
import { registerErase } from './erase.ts';
import { registerRemove } from './remove.ts';
import { registerShow } from './show.ts';
import { registerUpdate } from './update.ts';

export function register(command: Command, session: Session): void {
  const user = describe(command, {
    prose:
      'Adds, changes, removes and shows users. Orders of an unknown user, or of one who has not paid, are rejected. ' +
      'Users are stored in users.csv, which you may also edit by hand.',
    examples: [
      ['orderctl user add --user alice --status paid', 'add a user'],
      ['orderctl user show', 'show all users'],
    ],
  });
  registerAdd(user, session);
  registerUpdate(user, session);
  registerRemove(user, session);
  registerErase(user, session);
  registerEdit(user, session, 'users');
  registerImport(user, session, 'users');
  registerLog(user, session, 'users');
  registerUndo(user, session, 'users');
  registerShow(user, session);
}
