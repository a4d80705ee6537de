import { describe, expect, it } from 'vitest';

import { parseAddress } from '../../../src/adapters/kafka/protocol/address.ts';
import { isPassing, toFailure } from '../../../src/adapters/kafka/protocol/errors.ts';
import { createErrorFromCode } from '../../../src/adapters/kafka/protocol/kafkajs.ts';
import { Failure } from '../../../src/domain/failure.ts';

const setting = { addresses: 'kafka:9092', doing: 'read topic orders' };

function named(name: string, message: string, code?: string): Error {
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
}

/** As kafkajs wraps: the outer error loses type and code. */
function wrapped(cause: Error): Error {
  return Object.assign(new Error(cause.message, { cause }), { name: 'KafkaJSNonRetriableError' });
}

describe('toFailure', () => {
  it.each([
    ['TOPIC_AUTHORIZATION_FAILED', 29, 'broker_refused', /do not allow/],
    ['GROUP_AUTHORIZATION_FAILED', 30, 'broker_refused', /do not allow/],
    ['SASL_AUTHENTICATION_FAILED', 58, 'broker_refused', /credentials/],
    ['UNKNOWN_TOPIC_OR_PARTITION', 3, 'not_found', /the topic does not exist/],
    ['INVALID_TOPIC_EXCEPTION', 17, 'invalid_value', /topic name/],
    ['INVALID_REPLICATION_FACTOR', 38, 'broker_refused', /INVALID_REPLICATION_FACTOR/],
    ['NOT_LEADER_FOR_PARTITION', 6, 'broker_unreachable', /NOT_LEADER/],
    ['INVALID_TIMESTAMP', 32, 'broker_unreachable', /INVALID_TIMESTAMP/],
  ])('%s', (_, code, failure, message) => {
    for (const error of [createErrorFromCode(code), wrapped(createErrorFromCode(code))]) {
      expect(toFailure(error, setting)).toMatchObject({
        code: failure,
        message: expect.stringMatching(message) as unknown,
      });
    }
  });

  it('names the addresses where nobody answers', () => {
    const error = named('KafkaJSConnectionError', 'connect ECONNREFUSED', 'ECONNREFUSED');
    expect(isPassing(error)).toBe(true);
    expect(toFailure(wrapped(error), setting)).toMatchObject({
      code: 'broker_unreachable',
      message: expect.stringContaining('kafka:9092') as unknown,
      fix: { kind: 'check_brokers' },
    });
  });

  it('does not try again what a certificate or a password is wrong for', () => {
    const tls = named(
      'KafkaJSConnectionError',
      'Connection error: self-signed certificate',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    );
    expect(isPassing(tls)).toBe(false);
    expect(toFailure(tls, setting)).toMatchObject({
      code: 'broker_refused',
      fix: { kind: 'check_tls' },
    });
    const sasl = named('KafkaJSSASLAuthenticationError', 'SASL PLAIN authentication failed');
    expect(isPassing(sasl)).toBe(false);
    expect(toFailure(sasl, setting)).toMatchObject({
      code: 'broker_refused',
      fix: { kind: 'check_credentials' },
    });
  });

  it('lets our own failures and bugs through as they are', () => {
    const own = new Failure('group_in_use', 'taken', { cause: createErrorFromCode(23) });
    expect(toFailure(own, setting)).toBe(own);
    expect(isPassing(own)).toBe(false);
    const bug = new TypeError('undefined is not a function');
    expect(toFailure(bug, setting)).toBe(bug);
  });
});

describe('parseAddress', () => {
  it.each([
    ['kafka.example:9093', { host: 'kafka.example', port: 9093 }],
    ['kafka.example', { host: 'kafka.example', port: 9092 }],
    ['[::1]:19092', { host: '::1', port: 19092 }],
  ])('%s', (address, expected) => expect(parseAddress(address)).toEqual(expected));

  it.each(['', 'host:', ':9092', 'host:99999', 'http://host:9092'])('refuses %j', (address) => {
    expect(() => parseAddress(address)).toThrow(Failure);
  });
});
