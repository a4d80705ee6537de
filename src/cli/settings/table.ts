/**
 * Every setting, once: its flag, its environment variable, its key in orderctl.json, its default and its help all
 * come from this table. A setting's name is its key in the file: the long flag in snake_case.
 */
export type SettingKind =
  | 'path'
  | 'brokers'
  | 'url'
  | 'topic'
  | 'topics'
  | 'group'
  | 'choice'
  | 'boolean'
  | 'presence'
  | 'text'
  | 'secret';

export interface SettingSpec {
  readonly name: string;
  /**
   * `presence` is on when its variable holds anything at all (https://no-color.org); `secret` has no flag and no
   * key in the file, and may be given by NAME_FILE.
   */
  readonly kind: SettingKind;
  readonly env: string;
  readonly fallback: string | boolean | null;
  readonly help: string;
  /** What the value is called in help; absent for switches. */
  readonly metavar?: string;
  readonly short?: string;
  readonly choices?: readonly string[];
}

const OUTPUTS = ['text', 'json'] as const;
export type OutputFormat = (typeof OUTPUTS)[number];
/** From quiet to talkative: a level includes those before it. */
const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

export const SETTINGS = [
  {
    name: 'storage',
    kind: 'path',
    metavar: 'DIR',
    env: 'ORDERCTL_STORAGE',
    fallback: 'storage',
    help: 'folder that holds users, stock and decisions',
  },
  {
    name: 'brokers',
    kind: 'brokers',
    metavar: 'HOST:PORT,...',
    env: 'ORDERCTL_BROKERS',
    fallback: '127.0.0.1:9092',
    help: 'Kafka brokers to start from',
  },
  {
    name: 'registry',
    kind: 'url',
    metavar: 'URL',
    env: 'ORDERCTL_REGISTRY',
    fallback: 'http://127.0.0.1:8081',
    help: 'schema registry with the Confluent API',
  },
  {
    name: 'topic',
    kind: 'topic',
    metavar: 'NAME',
    env: 'ORDERCTL_TOPIC',
    fallback: 'orders',
    help: 'the orders topic',
  },
  {
    name: 'dlq_topic',
    kind: 'topic',
    metavar: 'NAME',
    env: 'ORDERCTL_DLQ_TOPIC',
    fallback: null,
    help: 'topic for dead letters (default TOPIC.dlq)',
  },
  {
    name: 'topics',
    kind: 'topics',
    metavar: 'MESSAGE=TOPIC,...',
    env: 'ORDERCTL_TOPICS',
    fallback: '',
    help: 'topics of other messages, where they are not named like them',
  },
  {
    name: 'group',
    kind: 'group',
    metavar: 'NAME',
    env: 'ORDERCTL_GROUP',
    fallback: 'orderctl',
    help: 'consumer group',
  },
  {
    name: 'output',
    kind: 'choice',
    short: '-o',
    choices: OUTPUTS,
    metavar: 'FORMAT',
    env: 'ORDERCTL_OUTPUT',
    fallback: 'text',
    help: 'text or json',
  },
  {
    name: 'log_level',
    kind: 'choice',
    choices: LOG_LEVELS,
    metavar: 'LEVEL',
    env: 'ORDERCTL_LOG_LEVEL',
    fallback: 'info',
    help: 'error, warn, info or debug',
  },
  {
    name: 'quiet',
    kind: 'boolean',
    env: 'ORDERCTL_QUIET',
    fallback: false,
    help: 'only errors on stderr, no progress',
  },
  {
    name: 'no_color',
    kind: 'presence',
    env: 'NO_COLOR',
    fallback: false,
    help: 'no colour, even on a terminal',
  },
  {
    name: 'tls',
    kind: 'boolean',
    env: 'ORDERCTL_TLS',
    fallback: false,
    help: 'encrypt the connection to the brokers',
  },
  {
    name: 'tls_ca',
    kind: 'path',
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_CA',
    fallback: null,
    help: 'CA certificates (PEM); implies --tls',
  },
  {
    name: 'tls_cert',
    kind: 'path',
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_CERT',
    fallback: null,
    help: 'client certificate (PEM), with --tls-key',
  },
  {
    name: 'tls_key',
    kind: 'path',
    metavar: 'FILE',
    env: 'ORDERCTL_TLS_KEY',
    fallback: null,
    help: 'key of the client certificate (PEM)',
  },
  {
    name: 'sasl_mechanism',
    kind: 'choice',
    choices: SASL_MECHANISMS,
    metavar: 'NAME',
    env: 'ORDERCTL_SASL_MECHANISM',
    fallback: null,
    help: 'plain, scram-sha-256 or scram-sha-512',
  },
  {
    name: 'sasl_username',
    kind: 'text',
    metavar: 'NAME',
    env: 'ORDERCTL_SASL_USERNAME',
    fallback: null,
    help: 'user at the brokers',
  },
  {
    name: 'sasl_password',
    kind: 'secret',
    env: 'ORDERCTL_SASL_PASSWORD',
    fallback: null,
    help: 'password at the brokers',
  },
  {
    name: 'registry_username',
    kind: 'text',
    metavar: 'NAME',
    env: 'ORDERCTL_REGISTRY_USERNAME',
    fallback: null,
    help: 'user at the schema registry',
  },
  {
    name: 'registry_password',
    kind: 'secret',
    env: 'ORDERCTL_REGISTRY_PASSWORD',
    fallback: null,
    help: 'password at the schema registry',
  },
] as const satisfies readonly SettingSpec[];

export type SettingName = (typeof SETTINGS)[number]['name'];
export type SecretName = 'sasl_password' | 'registry_password';

/** `dlq_topic` → `--dlq-topic` */
export function flagOf(name: string): string {
  return `--${name.replaceAll('_', '-')}`;
}
