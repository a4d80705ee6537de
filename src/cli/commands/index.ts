import type { Command } from 'commander';
import type { Session } from '../session.ts';

interface CommandModule {
  /** Gives the command its help, options, verbs and action. */
  register(command: Command, session: Session): void;
}

/** Loaded when they are called: what one command needs must not slow down another. */
export const COMMANDS: readonly { name: string; summary: string; load: () => Promise<CommandModule> }[] = [
  {
    name: 'user',
    summary: 'users and whether they have paid',
    load: () => import('./user/index.ts'),
  },
  {
    name: 'inventory',
    summary: 'items and their stock',
    load: () => import('./inventory/index.ts'),
  },
  {
    name: 'supplier',
    summary: 'who delivers: reference data for restocks',
    load: () => import('./supplier/index.ts'),
  },
  { name: 'produce', summary: 'send orders', load: () => import('./produce.ts') },
  {
    name: 'consume',
    summary: 'read orders, decide them, store them',
    load: () => import('./consume.ts'),
  },
  {
    name: 'run',
    summary: 'run processors: orders, and what reacts to them',
    load: () => import('./run.ts'),
  },
  { name: 'serve', summary: 'the HTTP API', load: () => import('./serve.ts') },
  {
    name: 'order',
    summary: 'what became of orders, and why',
    load: () => import('./order/index.ts'),
  },
  { name: 'audit', summary: 'whether the books balance', load: () => import('./audit.ts') },
  {
    name: 'analytics',
    summary: 'orders and revenue by the hour, and what sold most',
    load: () => import('./analytics/index.ts'),
  },
  {
    name: 'report',
    summary: 'the sales of a day, as files or on the screen',
    load: () => import('./report/index.ts'),
  },
  {
    name: 'what-if',
    summary: 'what would have come of other stock, prices or users',
    load: () => import('./what-if/what-if.ts'),
  },
  { name: 'replay', summary: 'send decided orders again', load: () => import('./replay.ts') },
  {
    name: 'offsets',
    summary: 'show and move the position in the topic',
    load: () => import('./offsets/index.ts'),
  },
  { name: 'status', summary: 'state of the running consumer', load: () => import('./status.ts') },
  {
    name: 'backup',
    summary: 'copy the storage folder at any time',
    load: () => import('./backup/backup.ts'),
  },
  {
    name: 'restore',
    summary: 'restore a storage folder from a backup',
    load: () => import('./backup/restore.ts'),
  },
  {
    name: 'store',
    summary: 'the folder or database that it all is in',
    load: () => import('./store/index.ts'),
  },
  { name: 'stop', summary: 'stop the running consumer', load: () => import('./stop.ts') },
  {
    name: 'dlq',
    summary: 'records that could not be read as orders',
    load: () => import('./dlq/index.ts'),
  },
  {
    name: 'topics',
    summary: 'the topics that orderctl needs, and those that the cluster has',
    load: () => import('./topics/index.ts'),
  },
  {
    name: 'acl',
    summary: 'who may do what at the brokers',
    load: () => import('./acl/index.ts'),
  },
  {
    name: 'schema',
    summary: 'the schemas of messages in the registry',
    load: () => import('./schema/index.ts'),
  },
  {
    name: 'doctor',
    summary: 'check settings, folder and services',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'setup',
    summary: 'make the folder, topics and schemas that a run needs',
    load: () => import('./setup.ts'),
  },
  { name: 'up', summary: 'the whole shop in one command', load: () => import('./up/up.ts') },
  {
    name: 'break',
    summary: 'kill and disturb the shop of "up", to see its books balance',
    load: () => import('./up/break.ts'),
  },
  {
    name: 'dev',
    summary: 'a Kafka and a schema registry, for development',
    load: () => import('./dev.ts'),
  },
  { name: 'demo', summary: 'the whole story in ten seconds', load: () => import('./demo.ts') },
  {
    name: 'config',
    summary: 'settings and where they come from',
    load: () => import('./config/index.ts'),
  },
  {
    name: 'completion',
    summary: 'completion for bash, zsh and fish',
    load: () => import('./completion.ts'),
  },
];
