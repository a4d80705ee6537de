import { Type } from 'typebox';
import { nullable, object, Seconds, type Document } from './shapes.ts';

/** The addresses at which `dev` listens. */
export const Services = object({
  broker: Type.String({ description: 'HOST:PORT' }),
  registry: Type.String({ description: 'URL' }),
  gateway: nullable(Type.String(), 'URL of the payment gateway; null: not requested'),
  data: Type.String({ description: 'path of the data folder' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Services = Document<typeof Services>;

/** The addresses at which `serve` listens. */
export const Serving = object({
  url: Type.String(),
  docs: Type.String({ description: 'URL of a page for trying the API' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Serving = Document<typeof Serving>;

/** The addresses of the parts that `up` starts. */
export const Up = object({
  url: Type.String({ description: 'of the API' }),
  brokers: Type.String({ description: 'HOST:PORT,...' }),
  registry: Type.String({ description: 'URL' }),
  storage: Type.String({ description: 'path of the storage folder, or URL of the database' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Up = Document<typeof Up>;

/** The result of `demo`. */
export const Demo = object({
  ok: Type.Boolean(),
  promises: Type.Array(
    object({
      promise: Type.String(),
      ok: Type.Boolean(),
      detail: Type.String({ description: 'the figures that show it' }),
    }),
  ),
  seconds: Seconds,
});
export type Demo = Document<typeof Demo>;
