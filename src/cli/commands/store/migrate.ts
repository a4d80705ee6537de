import type { Command } from 'commander';
import { openStore, openStoreAdmin } from '../../../compose.ts';
import type { MigratedStore } from '../../../documents/store/store.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';

export function registerMigrate(noun: Command, session: Session): void {
  describe(noun.command('migrate'), {
    summary: 'upgrade the store to the format of this version',
    prose:
      'Upgrades a store of an earlier version to the format of this version, while nothing runs on it. Every command that ' +
      'writes to a store does so by itself; use this as a user with more rights, before the new version runs. Earlier ' +
      'versions then refuse the store (6).',
    examples: [['orderctl store migrate --store postgres://admin@db/shop', 'before the new version starts']],
  }).action(async () => {
    const { printer, isJson, settings } = session;
    if (!(await (await openStore(settings)).isThere())) {
      throw new Failure('not_found', `there is no store in ${settings.storage}`, {
        fix: 'create one: orderctl store init',
      });
    }
    const admin = await openStoreAdmin(settings);
    const { from, to } = await admin.migrate();
    const document: MigratedStore = { store: admin.name, before: from, version: to };
    const text = from === to ? `version ${to}, nothing to do` : `version ${from ?? 0} → ${to}`;
    await printer.text(isJson ? `${JSON.stringify(document)}\n` : `${admin.name}: ${text}\n`);
  });
}
