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
      'Users, items and all that is decided about them are in one store: a folder, or the schema orderctl of a ' +
      'PostgreSQL database (--store postgres://USER@HOST:PORT/DATABASE).',
    examples: [
      ['orderctl store show', 'which one it is, and how large'],
      ['orderctl store init --store postgres://me@db/shop', 'make one in a database'],
    ],
  });
  registerShow(store, session);
  registerInit(store, session);
  registerMigrate(store, session);
  registerCopy(store, session);
  registerArchive(store, session);
}
