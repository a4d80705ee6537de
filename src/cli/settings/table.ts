import { SHOP_SETTINGS } from './shop-table.ts';
import type { SettingSpec } from './spec.ts';
import { STORE } from './store-type.ts';
import {
  BROKERS,
  GROUP,
  oneOf,
  PATH,
  PRESENCE,
  SWITCH,
  TEXT,
  TOPIC,
  PRINCIPAL,
  TOPICS,
  URL_OF_REGISTRY,
  type SettingType,
} from './values.ts';

const OUTPUTS = ['text', 'json', 'csv'] as const;
/** From quiet to verbose: each level includes the ones before it. */
const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;

/**
 * All settings. This table is the single source of their flags, environment variables, keys in orderctl.json, allowed
 * values, shell completions, defaults and help. The name of a setting is its key in the file: the long flag in
 * snake_case.
 */
export const SETTINGS = [
  {
    name: 'config',
    type: PATH,
    isPlace: true,
    isFile: true,
    metavar: 'FILE',
    env: 'ORDERCTL_CONFIG',
    fallback: null,
    help: 'settings file [the nearest orderctl.json]',
  },
  {
    name: 'store',
    type: STORE,
    isPlace: true,
    metavar: 'DIR|URL',
    env: 'ORDERCTL_STORE',
    fallback: null,
    help: 'store of users, stock and decisions: a folder, or postgres://USER@HOST/DATABASE [storage]',
  },
  {
    name: 'storage',
    type: PATH,
    isPlace: true,
    metavar: 'DIR',
    env: 'ORDERCTL_STORAGE',
    fallback: 'storage',
    help: 'older name of --store, for a folder',
  },
  {
    name: 'archive',
    type: PATH,
    isPlace: true,
    metavar: 'DIR',
    env: 'ORDERCTL_ARCHIVE',
    fallback: null,
    help: 'also read archived orders from this folder of "store archive"',
  },
  {
    name: 'brokers',
    type: BROKERS,
    short: '-b',
    isPlace: true,
    metavar: 'HOST:PORT,...',
    env: 'ORDERCTL_BROKERS',
    fallback: '127.0.0.1:9092',
    help: 'Kafka bootstrap brokers',
  },
  {
    name: 'registry',
    type: URL_OF_REGISTRY,
    isPlace: true,
    metavar: 'URL',
    env: 'ORDERCTL_REGISTRY',
    fallback: 'http://127.0.0.1:8081',
    help: 'schema registry with the Confluent API',
  },
  {
    name: 'topic',
    type: TOPIC,
    short: '-t',
    isPlace: true,
    metavar: 'NAME',
    env: 'ORDERCTL_TOPIC',
    fallback: 'orders',
    help: 'topic of orders',
  },
  {
    name: 'dlq_topic',
    type: TOPIC,
    isPlace: true,
    metavar: 'NAME',
    env: 'ORDERCTL_DLQ_TOPIC',
    fallback: ({ topic }) => `${topic}.dlq`,
    help: 'dead-letter topic of the orders [TOPIC.dlq]',
  },
  {
    name: 'topics',
    type: TOPICS,
    isPlace: true,
    metavar: 'NAME=TOPIC,...',
    env: 'ORDERCTL_TOPICS',
    fallback: null,
    help: 'topics whose names differ from the names of their messages',
  },
  {
    name: 'principal',
    type: PRINCIPAL,
    metavar: 'TYPE:NAME',
    env: 'ORDERCTL_PRINCIPAL',
    fallback: 'User:{group}.{role}',
    help: 'Kafka principal of each role, for acl and setup',
  },
  {
    name: 'group',
    type: GROUP,
    isPlace: true,
    metavar: 'NAME',
    env: 'ORDERCTL_GROUP',
    fallback: 'orderctl',
    help: 'consumer group',
  },
  ...SHOP_SETTINGS,
  {
    name: 'output',
    type: oneOf(OUTPUTS),
    short: '-o',
    metavar: 'FORMAT',
    env: 'ORDERCTL_OUTPUT',
    fallback: 'text',
    help: 'text, json, or for tables csv',
  },
  {
    name: 'log_level',
    type: oneOf(LOG_LEVELS),
    metavar: 'LEVEL',
    env: 'ORDERCTL_LOG_LEVEL',
    fallback: 'info',
    help: 'error, warn, info or debug',
  },
  {
    name: 'quiet',
    type: SWITCH,
    short: '-q',
    env: 'ORDERCTL_QUIET',
    fallback: false,
    help: 'print only errors to stderr, no progress',
  },
  {
    name: 'no_color',
    type: PRESENCE,
    env: 'NO_COLOR',
    fallback: false,
    help: 'do not use colours, even on a terminal',
  },
  {
    name: 'tls',
    isPlace: true,
    type: SWITCH,
    env: 'ORDERCTL_TLS',
    fallback: false,
    help: 'encrypt the connection to the brokers',
  },
  {
    name: 'tls_ca',
    isPlace: true,
    type: PATH,
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_CA',
    fallback: null,
    help: 'CA certificates (PEM); implies --tls',
  },
  {
    name: 'tls_cert',
    isPlace: true,
    type: PATH,
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_CERT',
    fallback: null,
    help: 'client certificate (PEM), with --tls-key',
  },
  {
    name: 'tls_key',
    isPlace: true,
    type: PATH,
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_KEY',
    fallback: null,
    help: 'key of the client certificate (PEM)',
  },
  {
    name: 'sasl_mechanism',
    isPlace: true,
    type: oneOf(SASL_MECHANISMS),
    metavar: 'NAME',
    env: 'ORDERCTL_SASL_MECHANISM',
    fallback: null,
    help: 'sign in to the brokers with plain, scram-sha-256 or scram-sha-512',
  },
  {
    name: 'sasl_username',
    isPlace: true,
    type: TEXT,
    metavar: 'NAME',
    env: 'ORDERCTL_SASL_USERNAME',
    fallback: null,
    help: 'user at the brokers',
  },
  {
    name: 'sasl_password',
    type: TEXT,
    isSecret: true,
    env: 'ORDERCTL_SASL_PASSWORD',
    fallback: null,
    help: 'password at the brokers',
  },
  {
    name: 'store_password',
    type: TEXT,
    isSecret: true,
    env: 'ORDERCTL_STORE_PASSWORD',
    fallback: null,
    help: 'password at the PostgreSQL server of --store',
  },
  {
    name: 'registry_username',
    isPlace: true,
    type: TEXT,
    metavar: 'NAME',
    env: 'ORDERCTL_REGISTRY_USERNAME',
    fallback: null,
    help: 'user at the schema registry',
  },
  {
    name: 'registry_password',
    type: TEXT,
    isSecret: true,
    env: 'ORDERCTL_REGISTRY_PASSWORD',
    fallback: null,
    help: 'password at the schema registry',
  },
] as const satisfies readonly SettingSpec[];

type Spec = (typeof SETTINGS)[number];
export type SettingName = Spec['name'];
export type SecretName = Extract<Spec, { isSecret: true }>['name'];

type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type ValueOf<S extends Spec> =
  (S['type'] extends SettingType<infer Value> ? Value : never) | (S['fallback'] extends null ? null : never);

/** The values of all settings except the secrets, by their names in camelCase. */
export type Values = {
  readonly [S in Exclude<Spec, { isSecret: true }> as Camel<S['name']>]: ValueOf<S>;
};

/** `dlq_topic` → `--dlq-topic` */
export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}

/** `dlq_topic` → `dlqTopic`, the name that commander uses for the option */
export function camelCase(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
