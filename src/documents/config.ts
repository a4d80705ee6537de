import { Type } from 'typebox';
import { nullable, object, type Document } from './shapes.ts';

/** The output of `config show`. */
export const Settings = object({
  file: nullable(Type.String(), 'path of the orderctl.json in force'),
  settings: Type.Array(
    object({
      name: Type.String(),
      value: nullable(Type.Union([Type.String(), Type.Boolean()]), 'secrets are masked'),
      source: Type.Enum(['flag', 'environment', 'file', 'implied', 'default']),
      from: nullable(Type.String(), 'the flag, the variable, the file or the setting that implies it'),
    }),
  ),
});
export type Settings = Document<typeof Settings>;
