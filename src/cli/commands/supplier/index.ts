import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerAdd } from './add.ts';
import { registerImport } from './import.ts';
import { registerRemove } from './remove.ts';
import { registerShow } from './show.ts';
import { registerUpdate } from './update.ts';

export function register(command: Command, session: Session): void {
  const supplier = describe(command, {
    prose:
      'Manages suppliers, which restocks name by supplier_id. They are reference data: no order depends on them. A ' +
      'folder stores them in suppliers.csv, which you may edit by hand, a database in the table suppliers. Works while ' +
      'a consumer runs.',
    examples: [
      ['orderctl supplier add SUP-1 --name Paper --contact sales@paper.example', 'add a supplier'],
      ['orderctl supplier import suppliers.csv', 'import a list of suppliers'],
    ],
  });
  registerAdd(supplier, session);
  registerUpdate(supplier, session);
  registerRemove(supplier, session);
  registerImport(supplier, session);
  registerShow(supplier, session);
}
