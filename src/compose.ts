import { join } from 'node:path';
import { setTimeout as sleepFor } from 'node:timers/promises';
import type { TimeLimits } from './adapters/kafka/options.ts';
import type { TlsFiles } from './adapters/kafka/tls-files.ts';
import type { Message } from './domain/messages/message.ts';
import type { Broker } from './ports/broker.ts';
import type { Clock } from './ports/clock.ts';
import type { Codec, OrderCodec } from './ports/codec.ts';
import type { ValueInspector } from './ports/inspector.ts';
import type { BucketConnection } from './adapters/objects/s3.ts';
import type { Objects } from './ports/outside/objects.ts';
import type { Gateway } from './ports/outside/gateway.ts';
import type { Mailer } from './ports/outside/mailer.ts';
import type { Webhook } from './ports/outside/webhook.ts';
import type { SchemaTools } from './ports/schema-registry.ts';
import type { Meter } from './ports/outside/meter.ts';
import type { Sampler } from './adapters/otlp/tracer.ts';
import type { Tracer } from './ports/outside/tracer.ts';
import type { Sheet } from './ports/sheet.ts';
import type { StoreAccess } from './ports/access.ts';
import type { StoreAdmin } from './ports/whole/store-admin.ts';
import type { StoreNotice } from './ports/notices.ts';
import type { Store } from './ports/store.ts';

import type { TextFile } from './domain/checkout/text-file.ts';

export type { BucketConnection, TimeLimits };

/** How the brokers are reached; paths are absolute. */
export interface BrokerConnection {
  readonly brokers: readonly string[];
  readonly tls: TlsFiles | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    /** Returns the current password. */
    readonly password: () => string;
    readonly onNewPassword: () => void;
  } | null;
}

export interface RegistryConnection {
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => Math.floor(performance.now()),
  sleep: async (ms, signal) => {
    try {
      await sleepFor(ms, undefined, signal === undefined ? {} : { signal });
    } catch {
      // An abort only ends the sleep early, as callers expect.
    }
  },
};

// Adapters are imported on demand: a command that reads two files must not load a Kafka client.

const isDatabase = (storage: string): boolean => /^postgres(?:ql)?:/i.test(storage);

/** Where a store is. */
export interface StorePlace {
  /** A folder, or the URL of a database without its password. */
  readonly storage: string;
  readonly storePassword: string | null;
  /** The folder of the archives of a database. */
  readonly archive?: string | null;
}

/**
 * @param onNotice receives what reading finds, such as a broken file, whose last good values are used
 */
export async function openStore(
  { storage, storePassword: password, archive = null }: StorePlace,
  onNotice?: (notice: StoreNotice) => void,
): Promise<StoreAccess> {
  if (isDatabase(storage)) {
    const [{ openPostgres }, { processes }] = await Promise.all([
      import('./adapters/postgres/open.ts'),
      import('./adapters/files/owner/processes.ts'),
    ]);
    return openPostgres({ url: storage, password, archive, clock: systemClock, processes, onNotice });
  }
  const { openFolder } = await import('./adapters/files/folder.ts');
  return openFolder({ folder: storage, clock: systemClock, onNotice });
}

/** The texts for customers: files in `templates`, by default the folder of that name next to users and items. */
export async function openTexts({
  storage,
  templates,
}: {
  readonly storage: string;
  readonly templates: string | null;
}): Promise<readonly TextFile[]> {
  const { readTextFiles } = await import('./adapters/templates/text-files.ts');
  if (templates !== null) return readTextFiles(templates, true);
  return isDatabase(storage) ? [] : readTextFiles(join(storage, 'templates'), false);
}

/** Like openStore, but for operations on the store as a whole. */
export async function openStoreAdmin({
  storage,
  storePassword: password,
  archive = null,
}: StorePlace): Promise<StoreAdmin> {
  if (isDatabase(storage)) {
    const [{ postgresAdmin }, { processes }] = await Promise.all([
      import('./adapters/postgres/whole/admin.ts'),
      import('./adapters/files/owner/processes.ts'),
    ]);
    return postgresAdmin({ url: storage, password, archive, clock: systemClock, processes });
  }
  const { folderAdmin } = await import('./adapters/files/whole/admin.ts');
  return folderAdmin({ folder: storage, clock: systemClock });
}

/** @throws Failure invalid_input */
export async function readSpreadsheet(bytes: Buffer, file: string): Promise<Sheet> {
  const { parseSpreadsheet } = await import('./adapters/files/csv/spreadsheet.ts');
  return parseSpreadsheet(bytes, file);
}

/**
 * @param limits how long the brokers may fail to answer before a call fails with broker_unreachable
 * @throws Failure invalid_settings: a TLS file cannot be read
 */
export async function openBroker(
  connection: BrokerConnection,
  onLog: (message: string) => void,
  limits: TimeLimits = {},
): Promise<Broker> {
  const [{ createKafkaBroker }, { readTls }] = await Promise.all([
    import('./adapters/kafka/kafka-broker.ts'),
    import('./adapters/kafka/tls-files.ts'),
  ]);
  return createKafkaBroker({
    brokers: [...connection.brokers],
    clientId: 'orderctl',
    tls: connection.tls === null ? null : await readTls(connection.tls),
    sasl: connection.sasl,
    onLog: (_level, message) => onLog(message),
    ...limits,
  });
}

/** @param register whether to register the schema if the subject is new @param users whether orders need a user */
export async function openCodec(
  connection: RegistryConnection,
  options: { topic: string; register: boolean; users: 'required' | 'optional' },
): Promise<OrderCodec> {
  const { createOrderCodec } = await import('./adapters/avro/orders/codec.ts');
  const { topic, register, users } = options;
  return createOrderCodec({ ...connection, subject: `${topic}-value`, register, users });
}

/** Like openCodec, for any other message of the catalogue. */
export async function openMessageCodec(
  connection: RegistryConnection,
  message: Message,
  options: { topic: string; register: boolean },
): Promise<Codec<unknown>> {
  const { createMessageCodec } = await import('./adapters/avro/messages/codec.ts');
  const { topic, register } = options;
  return createMessageCodec(message, { ...connection, subject: `${topic}-value`, register });
}

/** Schemas and their registry. */
export async function openSchemaTools(connection: RegistryConnection): Promise<SchemaTools> {
  const { createSchemaTools } = await import('./adapters/avro/schema-tools.ts');
  return createSchemaTools(connection);
}

/** How alerts and notifications are delivered. */
export type DeliveryWay =
  | { readonly kind: 'log' }
  | {
      readonly kind: 'mail';
      readonly url: string;
      readonly credentials: { readonly username: string; readonly password: string } | null;
      readonly from: string;
    }
  | { readonly kind: 'webhook'; readonly url: string; readonly secret: string };

/** What answers charges: the status of the shop's users, without moving money, or a payment gateway. */
export type GatewayWay =
  { readonly kind: 'local' } | { readonly kind: 'http'; readonly url: string; readonly token: string | null };

async function openGateway(way: GatewayWay): Promise<Outside['gatewayOf']> {
  if (way.kind === 'http') {
    const { createHttpGateway } = await import('./adapters/gateway/http.ts');
    return () => createHttpGateway(way);
  }
  const { createLocalGateway } = await import('./adapters/gateway/local.ts');
  return (store) =>
    createLocalGateway((user) =>
      store.transact({ users: [user] }, (state) => ({ changes: {}, result: state.status(user) })),
    );
}

/**
 * The destination of files that other programs read: a folder, or a bucket (`s3://` or `gs://`).
 *
 * @param to.place as the user gave it; a folder also has its absolute path
 */
export async function openObjects(
  to: { readonly place: string; readonly folder: string } | { readonly bucket: BucketConnection },
): Promise<Objects> {
  if ('bucket' in to) {
    const { createBucketObjects } = await import('./adapters/objects/s3.ts');
    return createBucketObjects(to.bucket);
  }
  const { createFolderObjects } = await import('./adapters/objects/folder.ts');
  return createFolderObjects(to.folder, to.place);
}

/** The outside services. For `log`, both mailer and webhook are null. */
export interface Outside {
  readonly mailer: Mailer | null;
  readonly webhook: Webhook | null;
  readonly gatewayOf: (store: Store) => Gateway;
}

export async function openOutside(delivery: DeliveryWay, gateway: GatewayWay): Promise<Outside> {
  const gatewayOf = await openGateway(gateway);
  if (delivery.kind === 'mail') {
    const { createSmtpMailer } = await import('./adapters/smtp/mailer.ts');
    return { mailer: createSmtpMailer(delivery), webhook: null, gatewayOf };
  }
  if (delivery.kind === 'log') return { mailer: null, webhook: null, gatewayOf };
  const { createWebhook } = await import('./adapters/webhook/webhook.ts');
  return { mailer: null, webhook: createWebhook({ ...delivery, now: () => systemClock.now() }), gatewayOf };
}

/** The metrics of this process. */
export async function openMeter(): Promise<Meter> {
  return (await import('./adapters/prometheus/meter.ts')).createMeter();
}

/** Where spans are sent, and which of them. */
export interface TracingWay {
  /** The URL of the requests, `/v1/traces` included. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The attributes of the process: `service.name` and the like. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: Sampler;
}

/** @param how `onWarning` is called when the collector stops accepting spans, and when it accepts them again */
export async function openTracer(
  way: TracingWay,
  how: { readonly version: string; readonly onWarning: (text: string) => void },
): Promise<Tracer> {
  return (await import('./adapters/otlp/tracer.ts')).createTracer({ ...way, ...how });
}

/** Decodes record values for people. */
export async function openInspector(connection: RegistryConnection): Promise<ValueInspector> {
  const { createInspector } = await import('./adapters/avro/inspect.ts');
  return createInspector(connection);
}

/** UUIDs of version 7 for the lines of a file, always the same for the same content. @param sha256 hash of the file */
export async function openLineIds(sha256: string): Promise<(line: number) => string> {
  const [{ v7 }, { createHash }] = await Promise.all([import('uuid'), import('node:crypto')]);
  return (line) => {
    const random = createHash('sha256').update(`${sha256}:${line}`).digest().subarray(0, 16);
    return v7({ msecs: SEEDED_IDS_FROM_MS + line, random });
  };
}

/** The start time of reproducible ids: 2026-01-01T00:00:00Z, in milliseconds. */
const SEEDED_IDS_FROM_MS = 1_767_225_600_000;

/**
 * UUIDs of version 7: they sort by time (RFC 9562).
 *
 * @param random returns a number from 0 (inclusive) to 1; if given, the ids depend on it alone
 */
export async function openIds(random?: () => number): Promise<() => string> {
  const { v7 } = await import('uuid');
  if (random === undefined) return () => v7();
  let made = 0;
  return () => {
    const bytes = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256));
    return v7({ msecs: SEEDED_IDS_FROM_MS + made++, random: bytes });
  };
}
