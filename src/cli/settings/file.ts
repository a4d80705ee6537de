import { readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Failure } from '../../domain/failure.ts';
import { nearest } from '../nearest.ts';
import { errorCode } from '../error-code.ts';
import { passwordWays } from './secrets.ts';
import type { SettingSpec } from './spec.ts';
import { SETTINGS } from './table.ts';
import { PRESENCE, SWITCH, TOPICS, topicsText, WHOLE, type SettingValue } from './values.ts';

const SETTINGS_FILE = 'orderctl.json';

/**
 * The path of the settings file: the one that is named, else the nearest orderctl.json.
 *
 * @param flag the value of `--config`
 * @returns null: there is none
 */
export function settingsFile(
  flag: string | undefined,
  { env, cwd }: { readonly env: Readonly<Record<string, string | undefined>>; readonly cwd: string },
): string | null {
  const named = flag ?? env.ORDERCTL_CONFIG;
  return named === undefined || named === '' ? findSettingsFile(cwd) : resolve(cwd, named);
}

/** The nearest orderctl.json in `folder` or above it. */
function findSettingsFile(folder: string): string | null {
  const path = join(folder, SETTINGS_FILE);
  if (exists(path)) return path;
  const parent = dirname(folder);
  return parent === folder ? null : findSettingsFile(parent);
}

function exists(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    // Skip folders that may not be searched; any other error is reported when the file is read.
    return !['EACCES', 'EPERM'].includes(errorCode(error));
  }
}

/** @throws Failure invalid_settings */
export function readSettingsFile(file: string): Map<string, SettingValue> {
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
    const isMissing = errorCode(error) === 'ENOENT';
    const what = isMissing ? 'does not exist' : `cannot be read (${errorCode(error)})`;
    throw new Failure('invalid_settings', `${file} ${what}`, {
      fix: isMissing ? 'name another with --config' : 'make it readable, or remove it',
      context: { file },
      cause: error,
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    // Do not use the parser's message: it quotes the file, which may contain secrets.
    const position = /at position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    throw new Failure(
      'invalid_settings',
      `${file}${line === undefined ? '' : `:${line}`} is not valid JSON`,
      {
        fix: 'correct it: it must be one JSON object, such as {"brokers": "127.0.0.1:9092"}',
        context: { file, ...(line === undefined ? {} : { line }) },
      },
    );
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw new Failure('invalid_settings', `${file} is not a JSON object`, {
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
      SETTINGS.flatMap((candidate: SettingSpec) =>
        candidate.isSecret || candidate.isFile ? [] : [candidate.name],
      ),
    );
    return refuse(
      `${where} is not a setting`,
      near === undefined ? 'see all names: orderctl config show' : `did you mean ${near}?`,
    );
  }
  if (spec.isFile) return refuse(`${where}: a settings file cannot name another`, 'remove it');
  if (spec.isSecret) {
    return refuse(
      `${where}: a password does not belong in this file`,
      `remove it and set ${passwordWays(spec.env)}`,
    );
  }
  const isSwitch = spec.type === SWITCH || spec.type === PRESENCE;
  if (isSwitch) {
    return typeof value === 'boolean' ? value : refuse(`${where} is ${typeName(value)}`, 'use true or false');
  }
  const isNumber = spec.type === WHOLE && typeof value === 'number';
  const text = isNumber ? String(value) : spec.type === TOPICS ? topicsText(value) : value;
  if (typeof text !== 'string') {
    return refuse(`${where} is ${typeName(value)}`, `use a string: ${JSON.stringify({ [key]: '…' })}`);
  }
  try {
    return spec.type.read(text, where);
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
