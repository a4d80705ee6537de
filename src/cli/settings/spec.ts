import type { SettingType, SettingValue } from './values.ts';

/** A row of the table of settings. */
export interface SettingSpec {
  readonly name: string;
  readonly type: SettingType;
  readonly env: string;
  /** The default. null: not set; a function: it follows from other settings. */
  readonly fallback: SettingValue | null | ((others: { readonly topic: string }) => string);
  readonly help: string;
  /** The name of the value in help; absent for switches. */
  readonly metavar?: string;
  readonly short?: string;
  /** It has no flag and no key in the file; NAME_FILE may give the path of a file instead. */
  readonly isSecret?: true;
  /** The flag `--no-NAME` turns it off. */
  readonly canBeNegated?: true;
  /** It names the settings file, and so cannot be a key in it. */
  readonly isFile?: true;
  /** It locates the store or a service, or is needed to connect: commands in messages repeat it. */
  readonly isPlace?: true;
}
