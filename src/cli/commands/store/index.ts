import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerArchive } from './archive.ts';
import { registerCopy } from './copy.ts';
import { registerInit } from './init.ts';
import { registerMigrate } from './migrate.ts';
import { registerShow } from './show.ts';

export function register(command: Command, session: Session): void {
  const store = describe(command, {
    prose:
      'Shows, creates, upgrades, copies and archives the store, which has the users, the items and all decisions: a ' +
      'folder, or the schema orderctl of a PostgreSQL database (--store postgres://USER@HOST:PORT/DATABASE).',
    examples: [
      ['orderctl store show', 'show which store is used, and its size'],
      ['orderctl store init --store postgres://me@db/shop', 'create a store in a database'],
    ],
  });
  registerShow(store, session);
  registerInit(store, session);
  registerMigrate(store, session);
  registerCopy(store, session);
  registerArchive(store, session);
}
