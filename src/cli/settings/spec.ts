import type { SettingType, SettingValue } from './values.ts';

/** What the table says of a setting. */
export interface SettingSpec {
  readonly name: string;
  readonly type: SettingType;
  readonly env: string;
  /** Null: without it, something is left out. A function: it follows from other settings. */
  readonly fallback: SettingValue | null | ((others: { readonly topic: string }) => string);
  readonly help: string;
  /** What the value is called in help; absent for switches. */
  readonly metavar?: string;
  readonly short?: string;
  /** It has no flag and no key in the file, and may be given by NAME_FILE. */
  readonly isSecret?: true;
  /** `--no-NAME` turns it off, whatever other places say. */
  readonly canBeNegated?: true;
  /** It names the settings file, and is no key in it. */
  readonly isFile?: true;
  /** It says where a command works, or how it gets there: commands that messages name repeat it. */
  readonly isPlace?: true;
}
