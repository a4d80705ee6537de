import type { Command } from 'commander';
import { openStoreAdmin } from '../../../compose.ts';
import type { MigratedStore } from '../../../documents/store/store.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';

export function registerInit(noun: Command, session: Session): void {
  describe(noun.command('init'), {
    summary: 'make an empty store',
    prose:
      'Makes the store, without users and items, and leaves one that is there as it is. In a database that takes a user who ' +
      'may create the schema orderctl; afterwards its user needs no such right. The first edit makes a store as well.',
    examples: [['orderctl store init --store postgres://admin@db/shop', 'in the database shop']],
  }).action(async () => {
    const { printer, isJson, settings } = session;
    const admin = await openStoreAdmin(settings);
    const { from, to } = await admin.migrate();
    const document: MigratedStore = { store: admin.name, before: from, version: to };
    await (isJson
      ? printer.data(`${JSON.stringify(document)}\n`)
      : printer.text(from === null ? `made ${admin.name}\n` : `${admin.name} is there already\n`));
  });
}
