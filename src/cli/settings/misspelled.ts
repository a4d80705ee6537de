import { nearest } from '../nearest.ts';
import type { SettingSpec } from './spec.ts';
import { SETTINGS } from './table.ts';

const PREFIX = 'ORDERCTL_';

/** Warnings about variables that look like a misspelt setting, since they silently have no effect. */
export function misspelledVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  const names = Object.keys(env).filter((name) => name.toUpperCase().startsWith(PREFIX));
  if (names.length === 0) return [];
  const known = SETTINGS.flatMap((spec: SettingSpec) =>
    spec.isSecret ? [spec.env, `${spec.env}_FILE`] : [spec.env],
  );
  return names.flatMap((name) => {
    if (known.includes(name)) return [];
    const near = meant(name.toUpperCase(), known);
    return near === undefined ? [] : [`${name} is not a setting and has no effect; did you mean ${near}?`];
  });
}

/** The variable that was meant: similar, or with words added or cut off (ORDERCTL_REGISTRY_URL, ORDERCTL_SASL_USER). */
function meant(name: string, known: readonly string[]): string | undefined {
  const word = name.slice(PREFIX.length);
  const words = known.flatMap((each) => (each.startsWith(PREFIX) ? [each.slice(PREFIX.length)] : []));
  const near =
    nearest(word, words) ??
    words.find((each) => word.startsWith(`${each}_`) || (word.length > 3 && each.startsWith(word)));
  return near === undefined ? undefined : `${PREFIX}${near}`;
}
