import { dirname, resolve } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { readSettingsFile, settingsFile } from './file.ts';
import { resolveSecret } from './secrets.ts';
import type { SettingSpec } from './spec.ts';
import { settleStore, type StorePlace } from './store.ts';
import { isDatabase, STORE } from './store-type.ts';
import { camelCase, flagOf, SETTINGS, type SecretName, type SettingName, type Values } from './table.ts';
import { parseTopics, PATH, type ResolvedSetting, type SettingValue } from './values.ts';

/** Flags as commander gives them, by setting name; absent when not given. */
export type FlagValues = Partial<Record<SettingName, string | boolean>>;

export interface SettingSources {
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The settings in force for this run. */
export interface Settings extends Omit<Values, 'topics' | 'store'>, StorePlace {
  /** By message; those of orders and of their dead letters, and others that are not named like it. */
  readonly topics: ReadonlyMap<string, string>;
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
 * Settles every setting: flag, then environment, then the settings file (the one that is named, else the nearest
 * orderctl.json walking up from `cwd`), then default. An environment variable that is empty counts as not set.
 *
 * @throws Failure invalid_value (names the flag or variable), invalid_settings (names the file and the key)
 */
export function resolveSettings(sources: SettingSources): Resolved {
  const { config } = sources.flags;
  const file = settingsFile(typeof config === 'string' ? config : undefined, sources);
  const fileValues = file === null ? new Map<string, SettingValue>() : readSettingsFile(file);
  const byName = new Map<SettingName, ResolvedSetting>();
  for (const spec of SETTINGS) {
    if ('isSecret' in spec) continue;
    byName.set(spec.name, resolveOne(spec, sources, file, fileValues));
  }
  settleDependent(byName);
  const place = settleStore(byName, sources.env);
  return {
    settings: { ...toSettings(byName), ...place },
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
    const value = typeof given === 'boolean' ? given : spec.type.read(given, flag);
    return { value: absolute(spec, value, cwd), source: 'flag', from: flag };
  }
  const variable = env[spec.env];
  if (variable !== undefined && variable !== '') {
    const value = spec.type.read(variable, spec.env);
    return { value: absolute(spec, value, cwd), source: 'environment', from: spec.env };
  }
  const inFile = fileValues.get(spec.name);
  if (inFile !== undefined && file !== null) {
    return { value: absolute(spec, inFile, dirname(file)), source: 'file', from: file };
  }
  const { fallback } = spec;
  const value = fallback === null || typeof fallback === 'function' ? null : absolute(spec, fallback, cwd);
  return { value, source: 'default', from: null };
}

function absolute(spec: SettingSpec, value: SettingValue, base: string): SettingValue {
  const isPath = spec.type === PATH || (spec.type === STORE && !isDatabase(String(value)));
  return isPath && typeof value === 'string' ? resolve(base, value) : value;
}

/** Settings whose default follows from others. */
function settleDependent(byName: Map<SettingName, ResolvedSetting>): void {
  const topic = String(byName.get('topic')?.value);
  for (const spec of SETTINGS) {
    if (typeof spec.fallback !== 'function') continue;
    const found = byName.get(spec.name);
    if (found?.source !== 'default') continue;
    const value = spec.type.read(spec.fallback({ topic }), `the default of ${flagOf(spec.name)}`);
    byName.set(spec.name, { ...found, value });
  }
  if (byName.get('dlq_topic')?.value === topic) {
    throw new Failure('invalid_value', `--topic and --dlq-topic are both ${topic}`, {
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

function toSettings(byName: ReadonlyMap<SettingName, ResolvedSetting>): Omit<Settings, keyof StorePlace> {
  const entries = [...byName].map(([name, { value }]) => [camelCase(name), value] as const);
  // The types of the table say what each may be, and their `read` has made it so.
  const values = Object.fromEntries(entries) as unknown as Values;
  const topics = parseTopics(`orders=${values.topic},orders.dlq=${values.dlqTopic},${values.topics ?? ''}`);
  return { ...values, topics };
}
