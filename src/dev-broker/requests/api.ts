import type { SaslExchange } from '../auth/sasl-exchange.ts';
import type { Broker } from '../broker.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';

/** Where an answer would say what the user may do: there are no ACLs, and Kafka has this number for "not told". */
export const NO_OPERATIONS = -(2 ** 31);

/** One client's connection, as far as a handler may know it. */
export interface Connection {
  readonly id: number;
  /** Address of the client, without its port. */
  readonly clientHost: string;
  /** Where the client reached this broker: what Metadata and FindCoordinator tell it to come back to. */
  readonly reachedAt: { readonly host: string; readonly port: number };
  /** Aborted when the connection is gone: whoever makes the client wait gives up then. */
  readonly closed: AbortSignal;
  /** The user that was proven by SASL; undefined without it. */
  user: string | undefined;
  sasl: SaslExchange | undefined;
  /** Set when the client is to be left after this answer: it failed to prove who it is. */
  closeAfterAnswer: boolean;
}

/** What a handler gets beside the request. */
export interface Context {
  readonly broker: Broker;
  readonly connection: Connection;
  /** What the client calls itself; empty when it does not. */
  readonly clientId: string;
  readonly version: number;
}

/** One API of the protocol, one file each. `read` and `write` follow the message's definition field by field. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly name: string;
  /** Range of versions, as ApiVersions tells it. */
  readonly min: number;
  readonly max: number;
  /** First version in the compact encoding with tagged fields; left out where `max` is older. */
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

/** A request that was read, its types closed over: so the server can hold all APIs in one table. */
export interface Call {
  /** @returns what writes the answer, or undefined for none */
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
