import type { Command } from 'commander';
import { openStoreAdmin } from '../../../compose.ts';
import type { MigratedStore } from '../../../documents/store/store.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';

export function registerInit(noun: Command, session: Session): void {
  describe(noun.command('init'), {
    summary: 'create an empty store',
    prose:
      'Creates the store, without users and items; a store that already exists is not changed. In a database this needs ' +
      'a user who may create the schema orderctl; later runs do not need that right. The first edit creates a store, ' +
      'too.',
    examples: [
      ['orderctl store init --store postgres://admin@db/shop', 'create a store in the database shop'],
    ],
  }).action(async () => {
    const { printer, isJson, settings } = session;
    const admin = await openStoreAdmin(settings);
    const { from, to } = await admin.migrate();
    const document: MigratedStore = { store: admin.name, before: from, version: to };
    await (isJson
      ? printer.data(`${JSON.stringify(document)}\n`)
      : printer.text(from === null ? `created ${admin.name}\n` : `${admin.name} already exists\n`));
  });
}
