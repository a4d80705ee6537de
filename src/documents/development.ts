import { Type } from 'typebox';
import { nullable, object, Seconds, type Document } from './shapes.ts';

/** Where `dev` listens. */
export const Services = object({
  broker: Type.String({ description: 'HOST:PORT' }),
  registry: Type.String({ description: 'URL' }),
  gateway: nullable(Type.String(), 'URL of the payment gateway; null: it was not asked for'),
  data: Type.String({ description: 'path of the data folder' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Services = Document<typeof Services>;

/** Where `serve` listens. */
export const Serving = object({
  url: Type.String(),
  docs: Type.String({ description: 'URL of a page to try it' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Serving = Document<typeof Serving>;

/** Where `up` can be reached. */
export const Up = object({
  url: Type.String({ description: 'of the API' }),
  brokers: Type.String({ description: 'HOST:PORT,...' }),
  registry: Type.String({ description: 'URL' }),
  storage: Type.String({ description: 'path of the storage folder, or URL of the database' }),
  pid: Type.Integer({ minimum: 1 }),
});
export type Up = Document<typeof Up>;

/** What came of `demo`. */
export const Demo = object({
  ok: Type.Boolean(),
  promises: Type.Array(
    object({
      promise: Type.String(),
      ok: Type.Boolean(),
      detail: Type.String({ description: 'the figures that it rests on' }),
    }),
  ),
  seconds: Seconds,
});
export type Demo = Document<typeof Demo>;
