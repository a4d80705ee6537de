import type { Command } from 'commander';
import type { NamedCommand } from '../hints.ts';
import type { Session } from '../session.ts';

interface CommandModule {
  /** Gives the command its help, options, verbs and action. */
  register(command: Command, session: Session): void;
}

interface CommandEntry extends NamedCommand {
  readonly summary: string;
  /** Whether it warns of saves of a CSV that were set aside: not where users and stock do not matter to it. */
  readonly warnsOfConflicts: boolean;
  /** Called when the command is: what one command needs must not slow down another. */
  readonly load: () => Promise<CommandModule>;
}

/** Every command, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'user',
    summary: 'users and whether they have paid',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./user/index.ts'),
  },
  {
    name: 'inventory',
    summary: 'items and their stock',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./inventory/index.ts'),
  },
  {
    name: 'supplier',
    summary: 'who delivers: reference data for restocks',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./supplier/index.ts'),
  },
  {
    name: 'produce',
    summary: 'send orders',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./produce.ts'),
  },
  {
    name: 'consume',
    summary: 'read orders, decide them, store them',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./consume.ts'),
  },
  {
    name: 'run',
    summary: 'run processors: orders, and what reacts to them',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./run.ts'),
  },
  {
    name: 'serve',
    summary: 'the HTTP API',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./serve.ts'),
  },
  {
    name: 'order',
    summary: 'what became of orders, and why',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./order/index.ts'),
  },
  {
    name: 'audit',
    summary: 'whether the books balance',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./audit.ts'),
  },
  {
    name: 'analytics',
    summary: 'orders and revenue by the hour, and what sold most',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./analytics/index.ts'),
  },
  {
    name: 'report',
    summary: 'the sales of a day, as files or on the screen',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./report/index.ts'),
  },
  {
    name: 'what-if',
    summary: 'what would have come of other stock, prices or users',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./what-if/what-if.ts'),
  },
  {
    name: 'replay',
    summary: 'send decided orders again',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./replay.ts'),
  },
  {
    name: 'offsets',
    summary: 'show and move the position in the topic',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./offsets/index.ts'),
  },
  {
    name: 'status',
    summary: 'state of the running consumer',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./status.ts'),
  },
  {
    name: 'backup',
    summary: 'copy the storage folder at any time',
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
    summary: 'the folder or database that it all is in',
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
    summary: 'records that could not be read as orders',
    worksOn: 'shop',
    warnsOfConflicts: true,
    load: () => import('./dlq/index.ts'),
  },
  {
    name: 'topics',
    summary: 'the topics that orderctl needs, and those that the cluster has',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./topics/index.ts'),
  },
  {
    name: 'acl',
    summary: 'who may do what at the brokers',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./acl/index.ts'),
  },
  {
    name: 'schema',
    summary: 'the schemas of messages in the registry',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./schema/index.ts'),
  },
  {
    name: 'doctor',
    summary: 'check settings, folder and services',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./doctor.ts'),
  },
  {
    name: 'setup',
    summary: 'make the folder, topics and schemas that a run needs',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./setup.ts'),
  },
  {
    name: 'up',
    summary: 'the whole shop in one command',
    worksOn: 'store',
    warnsOfConflicts: true,
    load: () => import('./up/up.ts'),
  },
  {
    name: 'break',
    summary: 'kill and disturb the shop of "up", to see its books balance',
    worksOn: 'nothing',
    warnsOfConflicts: true,
    load: () => import('./up/break.ts'),
  },
  {
    name: 'dev',
    summary: 'a Kafka and a schema registry, for development',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./dev.ts'),
  },
  {
    name: 'demo',
    summary: 'the whole story in ten seconds',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./demo.ts'),
  },
  {
    name: 'config',
    summary: 'settings and where they come from',
    worksOn: 'shop',
    warnsOfConflicts: false,
    load: () => import('./config/index.ts'),
  },
  {
    name: 'completion',
    summary: 'completion for bash, zsh and fish',
    worksOn: 'nothing',
    warnsOfConflicts: false,
    load: () => import('./completion.ts'),
  },
];
