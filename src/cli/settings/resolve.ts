import { dirname, resolve } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { readSettingsFile, settingsFile } from './file.ts';
import { resolveSecret } from './secrets.ts';
import type { SettingSpec } from './spec.ts';
import { settleStore, type StorePlace } from './store.ts';
import { isDatabase, STORE } from './store-type.ts';
import { camelCase, flagOf, SETTINGS, type SecretName, type SettingName, type Values } from './table.ts';
import { parseTopics, PATH, type ResolvedSetting, type SettingValue } from './values.ts';

/** Flags as parsed by commander, by setting name; absent if not given. */
export type FlagValues = Partial<Record<SettingName, string | boolean>>;

export interface SettingSources {
  readonly flags: FlagValues;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/** The settings of this run. */
export interface Settings extends Omit<Values, 'topics' | 'store'>, StorePlace {
  /** Topics by message: those of orders and of their dead letters, and all others that differ from the message name. */
  readonly topics: ReadonlyMap<string, string>;
}

export interface Resolved {
  readonly settings: Settings;
  /** The settings file that is used, if any. */
  readonly file: string | null;
  /** Every setting except the secrets, in the order of the table. */
  readonly byName: ReadonlyMap<SettingName, ResolvedSetting>;
  /** Reads a secret only when it is needed, so that commands that do not use it cannot fail because of it. */
  readonly secret: (name: SecretName) => ResolvedSetting;
}

/**
 * Resolves every setting from its flag, else the environment, else the settings file (the one that is named, else the
 * nearest orderctl.json in `cwd` or above it), else its default. An empty environment variable counts as not set.
 *
 * @throws Failure invalid_value (of a flag or variable), invalid_settings (of a key in the file)
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

/** Resolves settings whose defaults follow from others. */
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
      fix: 'name another --dlq-topic, or omit it',
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
  // The `read` functions of the table have returned values of these types.
  const values = Object.fromEntries(entries) as unknown as Values;
  const topics = parseTopics(`orders=${values.topic},orders.dlq=${values.dlqTopic},${values.topics ?? ''}`);
  return { ...values, topics };
}
