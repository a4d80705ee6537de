import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { nearest } from '../nearest.ts';
import { checkTopicName, parseTopics, readSettingText, topicsText, type SettingValue } from './values.ts';
import {
  flagOf,
  SETTINGS,
  type LogLevel,
  type OutputFormat,
  type SaslMechanism,
  type SecretName,
  type SettingName,
  type SettingSpec,
} from './table.ts';

const SETTINGS_FILE = 'orderctl.json';

export type SettingSource = 'flag' | 'environment' | 'file' | 'default' | 'implied';

export interface ResolvedSetting {
  readonly value: SettingValue | null;
  readonly source: SettingSource;
  /** The flag, the variable, the path of the file, the implying setting; null for a default. */
  readonly from: string | null;
}

/** Flags as commander gives them, by setting name; absent when not given. */
export type FlagValues = Partial<Record<SettingName, string | boolean>>;

export interface SettingSources {
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** What holds for this run. */
export interface Settings {
  readonly storage: string;
  readonly brokers: string;
  readonly registry: string;
  readonly topic: string;
  readonly dlqTopic: string;
  /** By message; those of orders and of their dead letters, and others that are not named like it. */
  readonly topics: ReadonlyMap<string, string>;
  readonly group: string;
  readonly output: OutputFormat;
  readonly logLevel: LogLevel;
  readonly quiet: boolean;
  readonly noColor: boolean;
  readonly tls: boolean;
  readonly tlsCa: string | null;
  readonly tlsCert: string | null;
  readonly tlsKey: string | null;
  readonly saslMechanism: SaslMechanism | null;
  readonly saslUsername: string | null;
  readonly registryUsername: string | null;
}

export interface Resolved {
  readonly settings: Settings;
  /** The settings file in force, if there is one. */
  readonly file: string | null;
  /** Every setting but the secrets, in order of the table. */
  readonly byName: ReadonlyMap<SettingName, ResolvedSetting>;
  /** Reads a secret when it is needed, so that a command without a broker does not fail on one. */
  readonly secret: (name: SecretName) => ResolvedSetting;
}

/**
 * Settles every setting: flag, then environment, then the nearest orderctl.json walking up from `cwd`, then
 * default. An environment variable that is empty counts as not set.
 *
 * @throws Failure invalid_value (names the flag or variable), invalid_settings (names the file and the key)
 */
export function resolveSettings(sources: SettingSources): Resolved {
  const file = findSettingsFile(sources.cwd);
  const fileValues = file === null ? new Map<string, SettingValue>() : readSettingsFile(file);
  const byName = new Map<SettingName, ResolvedSetting>();
  for (const spec of SETTINGS) {
    if (spec.kind === 'secret') continue;
    byName.set(spec.name, resolveOne(spec, sources, file, fileValues));
  }
  settleDependent(byName);
  return {
    settings: toSettings(byName),
    file,
    byName,
    secret: (name) => resolveSecret(name, sources.env),
  };
}

function resolveOne(
  spec: SettingSpec & { name: SettingName },
  { flags, env, cwd }: SettingSources,
  file: string | null,
  fileValues: ReadonlyMap<string, SettingValue>,
): ResolvedSetting {
  const given = flags[spec.name];
  if (given !== undefined) {
    const flag = flagOf(spec.name);
    const value = typeof given === 'boolean' ? given : readSettingText(spec, given, flag);
    return { value: absolute(spec, value, cwd), source: 'flag', from: flag };
  }
  const variable = env[spec.env];
  if (variable !== undefined && variable !== '') {
    const value = readSettingText(spec, variable, spec.env);
    return { value: absolute(spec, value, cwd), source: 'environment', from: spec.env };
  }
  const inFile = fileValues.get(spec.name);
  if (inFile !== undefined && file !== null) {
    return { value: absolute(spec, inFile, dirname(file)), source: 'file', from: file };
  }
  const fallback = spec.fallback === null ? null : absolute(spec, spec.fallback, cwd);
  return { value: fallback, source: 'default', from: null };
}

function absolute(spec: SettingSpec, value: SettingValue, base: string): SettingValue {
  return spec.kind === 'path' && typeof value === 'string' ? resolve(base, value) : value;
}

/** Settings whose default follows from others. */
function settleDependent(byName: Map<SettingName, ResolvedSetting>): void {
  const topic = byName.get('topic')?.value;
  const dlq = byName.get('dlq_topic');
  if (typeof topic === 'string' && dlq?.value === null) {
    byName.set('dlq_topic', { ...dlq, value: checkTopicName(`${topic}.dlq`, 'dead-letter topic') });
  }
  if (byName.get('dlq_topic')?.value === topic) {
    throw new Failure('invalid_value', `--topic and --dlq-topic are both ${String(topic)}`, {
      fix: 'give the dead letters a topic of their own, or leave --dlq-topic out',
    });
  }
  if (byName.get('tls')?.source === 'default') {
    const implying = (['tls_ca', 'tls_cert', 'tls_key'] as const).find(
      (name) => byName.get(name)?.value != null,
    );
    if (implying !== undefined) byName.set('tls', { value: true, source: 'implied', from: implying });
  }
}

function toSettings(byName: ReadonlyMap<SettingName, ResolvedSetting>): Settings {
  const text = (name: SettingName): string | null => {
    const value = byName.get(name)?.value ?? null;
    return typeof value === 'string' ? value : null;
  };
  const required = (name: SettingName): string => {
    const value = text(name);
    if (value === null) throw new Error(`setting ${name} has no default`);
    return value;
  };
  const isOn = (name: SettingName): boolean => byName.get(name)?.value === true;
  return {
    storage: required('storage'),
    brokers: required('brokers'),
    registry: required('registry'),
    topic: required('topic'),
    dlqTopic: required('dlq_topic'),
    topics: parseTopics(
      `orders=${required('topic')},orders.dlq=${required('dlq_topic')},${required('topics')}`,
    ),
    group: required('group'),
    // The table checks choices, so these are what they say.
    output: required('output') as OutputFormat,
    logLevel: required('log_level') as LogLevel,
    quiet: isOn('quiet'),
    noColor: isOn('no_color'),
    tls: isOn('tls'),
    tlsCa: text('tls_ca'),
    tlsCert: text('tls_cert'),
    tlsKey: text('tls_key'),
    saslMechanism: text('sasl_mechanism') as SaslMechanism | null,
    saslUsername: text('sasl_username'),
    registryUsername: text('registry_username'),
  };
}

/** The nearest orderctl.json, from `folder` upwards. */
export function findSettingsFile(folder: string): string | null {
  const path = join(folder, SETTINGS_FILE);
  if (isThere(path)) return path;
  const parent = dirname(folder);
  return parent === folder ? null : findSettingsFile(parent);
}

function isThere(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // In a folder that may not be searched nothing is found; anything else is told by who reads the file.
    return !['EACCES', 'EPERM'].includes(errorCode(error));
  }
}

function readSettingsFile(file: string): Map<string, SettingValue> {
  const values = new Map<string, SettingValue>();
  for (const [key, value] of Object.entries(parseSettingsFile(file))) {
    if (value === null) continue;
    values.set(key, readFileValue(file, key, value));
  }
  return values;
}

function parseSettingsFile(file: string): object {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Failure('invalid_settings', `${file} cannot be read (${errorCode(error)})`, {
      fix: 'make it readable, or remove it',
      context: { file },
      cause: error,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // The parser's message quotes the file, which may hold what must not be printed.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    throw new Failure(
      'invalid_settings',
      `${file}${line === undefined ? '' : `:${line}`} is not valid JSON`,
      {
        fix: 'mend it; it holds one object, such as {"brokers": "127.0.0.1:9092"}',
        context: { file, ...(line === undefined ? {} : { line }) },
      },
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Failure('invalid_settings', `${file} does not hold a JSON object`, {
      fix: 'write one object, such as {"brokers": "127.0.0.1:9092"}',
      context: { file },
    });
  }
  return parsed;
}

function readFileValue(file: string, key: string, value: unknown): SettingValue {
  const where = `${file}: ${key}`;
  const refuse = (message: string, fix: string): never => {
    throw new Failure('invalid_settings', message, { fix, context: { file } });
  };
  const spec: SettingSpec | undefined = SETTINGS.find((candidate) => candidate.name === key);
  if (spec === undefined) {
    const near = nearest(
      key.replaceAll('-', '_'),
      SETTINGS.filter((candidate) => candidate.kind !== 'secret').map((candidate) => candidate.name),
    );
    return refuse(
      `${where} is not a setting`,
      near === undefined ? 'see "orderctl config show" for all names' : `did you mean ${near}?`,
    );
  }
  if (spec.kind === 'secret') {
    return refuse(
      `${where}: a password does not belong in this file`,
      `remove it and set ${passwordWays(spec.env)}`,
    );
  }
  const isSwitch = spec.kind === 'boolean' || spec.kind === 'presence';
  if (isSwitch) {
    return typeof value === 'boolean' ? value : refuse(`${where} is ${typeName(value)}`, 'use true or false');
  }
  const text = spec.kind === 'topics' ? topicsText(value) : value;
  if (typeof text !== 'string') {
    return refuse(`${where} is ${typeName(value)}`, `use a string: ${JSON.stringify({ [key]: '…' })}`);
  }
  try {
    return readSettingText(spec, text, where);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('invalid_settings', error.message, {
      ...(error.fix === null ? {} : { fix: error.fix }),
      context: { file },
    });
  }
}

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'an array, not a single value';
  return `${typeof value === 'object' ? 'an object' : `a ${typeof value}`}, which is the wrong type`;
}

export function passwordWays(variable: string): string {
  return `${variable}, or ${variable}_FILE to the path of a file that only you can read`;
}

/** @throws Failure invalid_settings */
function resolveSecret(name: SecretName, env: SettingSources['env']): ResolvedSetting {
  const spec = SETTINGS.find((candidate) => candidate.name === name);
  if (spec === undefined) throw new Error(`no such secret: ${name}`);
  const direct = env[spec.env] ?? '';
  const fileVariable = `${spec.env}_FILE`;
  const file = env[fileVariable] ?? '';
  if (direct !== '' && file !== '') {
    throw new Failure('invalid_settings', `${spec.env} and ${fileVariable} are both set`, {
      fix: 'unset one of them',
    });
  }
  if (direct !== '') return { value: direct, source: 'environment', from: spec.env };
  if (file === '') return { value: null, source: 'default', from: null };
  return {
    value: readSecretFile(fileVariable, file),
    source: 'environment',
    from: `${fileVariable}=${file}`,
  };
}

function readSecretFile(variable: string, file: string): string {
  let text: string;
  try {
    const stat = statSync(file);
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(3, '0');
      throw new Failure('invalid_settings', `${variable}: others may read ${file} (mode ${mode})`, {
        fix: `chmod 600 ${file}`,
        context: { file },
      });
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('invalid_settings', `${variable}: ${file} cannot be read (${errorCode(error)})`, {
      fix: `give the path of a file that holds the password, or unset ${variable}`,
      context: { file },
    });
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') {
    throw new Failure('invalid_settings', `${variable}: ${file} is empty`, {
      fix: 'write the password into it',
      context: { file },
    });
  }
  return secret;
}

function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
