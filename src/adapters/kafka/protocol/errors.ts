import type { Advice } from '../../../domain/advice.ts';
import { Failure, type FailureContext } from '../../../domain/failure.ts';
import type { BadBatchError } from './record-batch.ts';

/** Names of kafkajs's errors that only mean that the node did not answer. */
const CONNECTION_ERRORS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
]);

/** Answers that are temporary: a leader or coordinator is moving, starting or loading. */
const PASSING_ANSWERS = new Set([
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_FOR_PARTITION',
  'REQUEST_TIMED_OUT',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'GROUP_LOAD_IN_PROGRESS',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'UNSTABLE_OFFSET_COMMIT',
  'INVALID_TIMESTAMP',
]);

const WAIT_FOR_CLUSTER =
  'wait until the cluster has settled, then try again; if it does not settle, see the logs of the brokers';
const COMPARE_CLOCKS =
  'compare the clocks of this machine and the brokers: they may differ by at most message.timestamp.after.max.ms of the topic';

/** Codes of Node's TLS errors for a certificate that either side refused: trying again does not help. */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|^UNABLE_TO|^ERR_TLS|^ERR_SSL|^ERR_OSSL|^EPROTO$/;
/** The error for a port without TLS, but also for a broker that is shutting down. */
const NO_HANDSHAKE = 'before secure TLS connection';

interface Described {
  readonly name: string;
  readonly type: string | null;
  readonly code: string | null;
  /** `host:port` of the node, if the error is about a single one. */
  readonly broker: string | null;
  readonly message: string;
}

/** kafkajs wraps errors in errors without `type` and `code`; this describes the innermost error that has them. */
function describe(error: unknown): Described {
  let found: Described = { name: '', type: null, code: null, broker: null, message: String(error) };
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 10; depth += 1) {
    const { type, code, broker } = current as { type?: unknown; code?: unknown; broker?: unknown };
    if (typeof type === 'string' || depth === 0 || CONNECTION_ERRORS.has(current.name)) {
      found = {
        name: current.name,
        type: typeof type === 'string' ? type : null,
        code: typeof code === 'string' ? code : null,
        broker: typeof broker === 'string' ? broker : null,
        message: current.message,
      };
    }
    const errors: unknown = (current as { errors?: unknown }).errors;
    current = Array.isArray(errors) ? errors[0] : current.cause;
  }
  return found;
}

/** Kafka's name for the answer in an error; null when the error is not an answer. */
export function answerOf(error: unknown): string | null {
  return describe(error).type;
}

/** Whether a node was given up because no answer arrived in time. */
export function isTimeout(error: unknown): boolean {
  return describe(error).name === 'KafkaJSRequestTimeoutError';
}

export function isConnectionError(error: unknown): boolean {
  const { name, code } = describe(error);
  return CONNECTION_ERRORS.has(name) && !CERTIFICATE_ERROR.test(code ?? '');
}

/** Codes of Node's errors for an address that no broker listens on, or a host that is unknown. */
const REFUSED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Whether an address refused the connection at once, rather than not answering. */
export function isRefused(error: unknown): boolean {
  return REFUSED.has(describe(error).code ?? '');
}

/** The brokers do not accept our credentials. */
export function isSignInRefused(error: unknown): boolean {
  const { name, type } = describe(error);
  return name === 'KafkaJSSASLAuthenticationError' || type?.includes('SASL') === true;
}

/** Whether to retry: with another node, or with the same one a moment later. */
export function isPassing(error: unknown): boolean {
  return isConnectionError(error) || PASSING_ANSWERS.has(answerOf(error) ?? '');
}

export interface ErrorSetting {
  /** The cluster as the user named it: `127.0.0.1:9092`. */
  readonly addresses: string;
  /** What was being done, following "cannot": `read topic orders`. */
  readonly doing: string;
  readonly context?: FailureContext;
}

/**
 * Translates an error of kafkajs, of a node or of the network to a Failure for the user. Any other error is a bug and
 * is returned unchanged.
 */
export function toFailure(error: unknown, { addresses, doing, context = {} }: ErrorSetting): Error {
  if (error instanceof Failure) return error;
  const { name, type, code, broker, message } = describe(error);
  const refused = (why: string, fix: Advice) =>
    new Failure('broker_refused', why, { fix, context, cause: error });

  if (type === 'ILLEGAL_SASL_STATE') {
    return refused(`the brokers at ${addresses} do not ask for credentials`, { kind: 'no_credentials' });
  }
  if (isSignInRefused(error)) {
    return refused(`the brokers at ${addresses} refused the credentials: ${message}`, {
      kind: 'check_credentials',
    });
  }
  if (type?.endsWith('_AUTHORIZATION_FAILED') === true) {
    return refused(`cannot ${doing}: the brokers at ${addresses} do not allow it (${type})`, {
      kind: 'check_acls',
    });
  }
  if (CONNECTION_ERRORS.has(name)) {
    if (CERTIFICATE_ERROR.test(code ?? '') || message.includes(NO_HANDSHAKE)) {
      return refused(`no TLS connection to ${addresses}: ${message}`, { kind: 'check_tls' });
    }
    return unreachable(addresses, broker === null ? message : `${broker}: ${message}`, error);
  }
  if (type === 'UNKNOWN_TOPIC_OR_PARTITION') {
    return new Failure('not_found', `cannot ${doing}: the topic does not exist at ${addresses}`, {
      context,
      cause: error,
    });
  }
  if (type === 'INVALID_TOPIC_EXCEPTION') {
    return new Failure('invalid_value', `cannot ${doing}: Kafka does not allow that topic name`, {
      fix: 'use letters, digits and . _ - (at most 249 characters)',
      context,
      cause: error,
    });
  }
  if (PASSING_ANSWERS.has(type ?? '')) {
    return new Failure(
      'broker_unreachable',
      `cannot ${doing}: ${addresses} answers ${type ?? ''} (${message})`,
      {
        fix: type === 'INVALID_TIMESTAMP' ? COMPARE_CLOCKS : WAIT_FOR_CLUSTER,
        context,
        cause: error,
      },
    );
  }
  if (type !== null)
    return refused(
      `cannot ${doing}: ${addresses} answers ${type} (${message})`,
      'see the logs of the brokers',
    );
  if (name === 'KafkaJSServerDoesNotSupportApiKey') {
    return refused(
      `cannot ${doing}: the server at ${addresses} does not support it`,
      'use a broker that supports the protocol of Kafka 2.3 or newer',
    );
  }
  return error instanceof Error ? error : new Error(message);
}

export function unreachable(addresses: string, why: string, cause?: unknown): Failure {
  return new Failure('broker_unreachable', `no broker answers at ${addresses} (${why})`, {
    fix: { kind: 'check_brokers' },
    cause,
  });
}

/** @param due `host:port` of each node that was waited for */
export function brokersSilent(doing: string, due: string, within: string): Failure {
  return new Failure('broker_unreachable', `cannot ${doing}: no answer from ${due} within ${within}`, {
    fix: 'check that these brokers are running, and see their logs; other brokers of the cluster do answer',
  });
}

/** @param cause what the brokers answered */
export function topicMissing(topic: string, addresses: string, cause?: unknown): Failure {
  return new Failure('topic_missing', `topic ${topic} does not exist at ${addresses}`, {
    fix: { kind: 'other_topic' },
    context: { topic },
    cause,
  });
}

/** Reports a record batch whose bytes are not those that a producer sent. */
export function badBatch(topic: string, partition: number, error: BadBatchError): Failure {
  const { offset, next } = error;
  return new Failure(
    'invalid_input',
    `${topic}/${partition}@${offset}: the record batch cannot be read: ${error.message}`,
    {
      fix: { kind: 'skip_batch', partition, next },
      context: { topic, partition, offset },
      cause: error,
    },
  );
}
