import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerAdd, registerRemove, registerUpdate } from './edit.ts';
import { registerImport } from './import.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const supplier = describe(command, {
    prose:
      'Suppliers, whom restocks name by supplier_id: reference data, on which no order depends. In a folder they are ' +
      'suppliers.csv, which may be edited by hand, in a database the table suppliers. Works beside a running consumer.',
    examples: [
      ['orderctl supplier add SUP-1 --name Paper --contact sales@paper.example', 'a supplier'],
      ['orderctl supplier import suppliers.csv', 'a list of them'],
    ],
  });
  registerAdd(supplier, session);
  registerUpdate(supplier, session);
  registerRemove(supplier, session);
  registerImport(supplier, session);
  registerShow(supplier, session);
}
