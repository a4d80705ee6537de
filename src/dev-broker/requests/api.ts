import type { SaslExchange } from '../auth/sasl-exchange.ts';
import type { Broker } from '../broker.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';

/** Kafka's "not given" for authorized operations: there are no ACLs. */
export const NO_OPERATIONS = -(2 ** 31);

/** One client's connection, as seen by handlers. */
export interface Connection {
  readonly id: number;
  /** Without the port. */
  readonly clientHost: string;
  /** The address by which the client reached this broker, which Metadata and FindCoordinator return. */
  readonly reachedAt: { readonly host: string; readonly port: number };
  /** Aborted when the connection has ended: handlers that wait give up then. */
  readonly closed: AbortSignal;
  /** The authenticated user; undefined before or without SASL. */
  user: string | undefined;
  sasl: SaslExchange | undefined;
  /** Set when authentication fails: the connection is closed after the answer. */
  closeAfterAnswer: boolean;
}

/** What a handler receives besides the request. */
export interface Context {
  readonly broker: Broker;
  readonly connection: Connection;
  /** Empty when the client does not name itself. */
  readonly clientId: string;
  readonly version: number;
}

/** One API of the protocol. `read` and `write` follow the message's definition field by field. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly name: string;
  /** Range of versions that ApiVersions returns. */
  readonly min: number;
  readonly max: number;
  /** First version in the compact encoding with tagged fields; omitted when `max` is older. */
  readonly flexibleFrom?: number;
  read(reader: Reader, version: number): Request;
  /** @returns the answer, or undefined for none (Produce with acks=0) */
  handle(request: Request, context: Context): Response | undefined | Promise<Response | undefined>;
  write(writer: Writer, response: Response, version: number): void;
  /**
   * The answer when the whole request fails with `error`: a KafkaError, a broken disk, an injected fault. Without
   * one (Produce with acks=0) the connection is closed.
   */
  fail(request: Request, error: ErrorCode): Response | undefined;
}

/** A parsed request with its types hidden, so that one table can contain all APIs. */
export interface Call {
  /** @returns a function that writes the answer; undefined when there is none */
  handle(context: Context): Promise<WriteAnswer | undefined>;
  /** @returns undefined when the protocol has no answer for it */
  fail(error: ErrorCode): WriteAnswer | undefined;
}

export type WriteAnswer = (writer: Writer) => void;

export interface AnyApi {
  readonly key: number;
  readonly name: string;
  readonly min: number;
  readonly max: number;
  readonly flexibleFrom: number;
  /** @throws BadFrame */
  read(reader: Reader, version: number): Call;
}

export function api<Request, Response>(definition: Api<Request, Response>): AnyApi {
  const { key, name, min, max, flexibleFrom = Infinity } = definition;
  return {
    key,
    name,
    min,
    max,
    flexibleFrom,
    read(reader, version) {
      const request = definition.read(reader, version);
      const answer =
        (response: Response): WriteAnswer =>
        (writer) =>
          definition.write(writer, response, version);
      return {
        async handle(context) {
          const response = await definition.handle(request, context);
          return response === undefined ? undefined : answer(response);
        },
        fail(error) {
          const response = definition.fail(request, error);
          return response === undefined ? undefined : answer(response);
        },
      };
    },
  };
}
