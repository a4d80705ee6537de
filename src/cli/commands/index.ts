import type { Command } from 'commander';
import type { NamedCommand } from '../hints.ts';
import type { Session } from '../session.ts';

interface CommandModule {
  /** Adds help, options, subcommands and action to the command. */
  register(command: Command, session: Session): void;
}

interface CommandEntry extends NamedCommand {
  readonly summary: string;
  /** Whether it warns about CSV saves that were set aside; false for commands that use neither users nor stock. */
  readonly warnsOfConflicts: boolean;
  /** Loads the module only when its command runs, so that no command slows down another. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'user',
    summary: 'manage users and their payment status',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./user/index.ts'),
  },
  {
    name: 'inventory',
    summary: 'manage items and their stock',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./inventory/index.ts'),
  },
  {
    name: 'supplier',
    summary: 'manage suppliers, the reference data of restocks',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./supplier/index.ts'),
  },
  {
    name: 'produce',
    summary: 'send orders and stock events to Kafka',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./produce.ts'),
  },
  {
    name: 'consume',
    summary: 'process orders from Kafka',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./consume.ts'),
  },
  {
    name: 'run',
    summary: 'run all processors, or the named ones',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./run.ts'),
  },
  {
    name: 'serve',
    summary: 'serve the HTTP API',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./serve.ts'),
  },
  {
    name: 'order',
    summary: 'show, explain and cancel orders',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./order/index.ts'),
  },
  {
    name: 'audit',
    summary: 'check that the books balance',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./audit.ts'),
  },
  {
    name: 'analytics',
    summary: 'show orders and revenue by hour, and top products',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./analytics/index.ts'),
  },
  {
    name: 'report',
    summary: 'print the sales of a day, or write them to files',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./report/index.ts'),
  },
  {
    name: 'what-if',
    summary: 'recompute past orders with other stock, prices or users',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./what-if/what-if.ts'),
  },
  {
    name: 'replay',
    summary: 'send processed orders again',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./replay.ts'),
  },
  {
    name: 'offsets',
    summary: 'show, reset and export positions in topics',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./offsets/index.ts'),
  },
  {
    name: 'status',
    summary: 'show the state of the running consumer',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./status.ts'),
  },
  {
    name: 'backup',
    summary: 'back up the storage folder, even while it is in use',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./backup/backup.ts'),
  },
  {
    name: 'restore',
    summary: 'restore a storage folder from a backup',
    worksOn: 'store',
    warnsOfConflicts: false,
    load: () => import('./backup/restore.ts'),
  },
  {
    name: 'store',
    summary: 'show, upgrade or move the store',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./store/index.ts'),
  },
  {
    name: 'stop',
    summary: 'stop the running consumer',
    worksOn: 'store',
    warnsOfConflicts: false,
    load: () => import('./stop.ts'),
  },
  {
    name: 'dlq',
    summary: 'inspect, redrive and discard dead letters',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./dlq/index.ts'),
  },
  {
    name: 'topics',
    summary: 'compare and create the topics that orderctl needs',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./topics/index.ts'),
  },
  {
    name: 'acl',
    summary: 'compare and create access rules (ACLs) of the brokers',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./acl/index.ts'),
  },
  {
    name: 'schema',
    summary: 'compare and register message schemas',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./schema/index.ts'),
  },
  {
    name: 'doctor',
    summary: 'check settings, storage folder and services',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./doctor.ts'),
  },
  {
    name: 'setup',
    summary: 'create the storage folder, topics and schemas for a run',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./setup.ts'),
  },
  {
    name: 'up',
    summary: 'run a whole shop in one command',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./up/up.ts'),
  },
  {
    name: 'break',
    summary: 'inject a fault into the shop of "up" and check its books',
    worksOn: 'nothing',
    warnsOfConflicts: true,
    load: () => import('./up/break.ts'),
  },
  {
    name: 'dev',
    summary: 'run a Kafka broker and a schema registry for development',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./dev.ts'),
  },
  {
    name: 'demo',
    summary: 'demonstrate exactly-once processing in ten seconds',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./demo.ts'),
  },
  {
    name: 'config',
    summary: 'show settings and their sources',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./config/index.ts'),
  },
  {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./completion.ts'),
  },
];
