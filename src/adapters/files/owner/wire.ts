import type { Socket } from 'node:net';
import type { Advice } from '../../../domain/advice.ts';
import { FAILURE_CODES, Failure, type FailureCode, type FailureContext } from '../../../domain/failure.ts';
import { isSystemError, systemFailure } from '../../../domain/system-failure.ts';

/**
 * The protocol between an owner and its clients: JSON, one object per line. The owner starts with a hello; then each
 * request `{id, request}` gets `{id, answer}` or `{id, failure}`, several at a time, in any order.
 */
const MAX_LINE_BYTES = 1024 * 1024;

/** The purpose of a process that owns the folder for a single edit: it is worth waiting for. */
export const EDIT_PURPOSE = 'edit';

/** The process that owns the folder. */
export interface Hello {
  readonly pid: number;
  readonly purpose: string;
  /** ISO 8601. */
  readonly startedAt: string;
  /** See `Processes.self`. */
  readonly process: string | null;
}

export interface WireFailure {
  readonly code: FailureCode;
  readonly message: string;
  readonly fix: Advice | null;
  readonly context: FailureContext;
}

/**
 * Splits a socket's bytes into lines and passes each on, parsed; `undefined` is a line that is not JSON. A line longer
 * than MAX_LINE_BYTES ends the connection.
 */
export function onLines(socket: Socket, onLine: (value: unknown) => void): void {
  let parts: Buffer[] = [];
  let sizeBytes = 0;
  socket.on('data', (chunk: Buffer) => {
    let from = 0;
    while (from < chunk.length && !socket.destroyed) {
      const newline = chunk.indexOf(10, from);
      const part = chunk.subarray(from, newline === -1 ? chunk.length : newline);
      parts.push(part);
      sizeBytes += part.length;
      if (sizeBytes > MAX_LINE_BYTES) {
        socket.destroy();
        return;
      }
      if (newline === -1) return;
      const line = Buffer.concat(parts, sizeBytes).toString();
      parts = [];
      sizeBytes = 0;
      from = newline + 1;
      onLine(parseJson(line));
    }
  });
}

export function writeLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function toHello(value: unknown): Hello | null {
  if (!isObject(value)) return null;
  const { pid, purpose, startedAt } = value;
  if (typeof pid !== 'number' || typeof purpose !== 'string' || typeof startedAt !== 'string') return null;
  return { pid, purpose, startedAt, process: typeof value.process === 'string' ? value.process : null };
}

/** Errors other than Failures and those of the operating system are sent as a bug. */
export function encodeFailure(error: unknown): WireFailure {
  if (error instanceof Failure) {
    return { code: error.code, message: error.message, fix: error.fix, context: error.context };
  }
  if (isSystemError(error)) return encodeFailure(systemFailure(error));
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'bug', message, fix: null, context: {} };
}

export function decodeFailure(value: unknown): Failure {
  if (!isObject(value) || typeof value.message !== 'string') {
    return new Failure('bug', 'the owner of the folder answered with a failure that cannot be read');
  }
  const code = FAILURE_CODES.find((known) => known === value.code) ?? 'bug';
  const { fix } = value;
  const isAdvice = typeof fix === 'string' || (isObject(fix) && typeof fix.kind === 'string');
  return new Failure(code, value.message, {
    ...(isAdvice ? { fix: fix as Advice } : {}),
    ...(isObject(value.context) ? { context: decodeContext(value.context) } : {}),
  });
}

function decodeContext(value: Record<string, unknown>): FailureContext {
  const context: FailureContext = {};
  for (const key of ['file', 'topic', 'orderId'] as const) {
    if (typeof value[key] === 'string') context[key] = value[key];
  }
  for (const key of ['line', 'partition', 'offset'] as const) {
    if (typeof value[key] === 'number') context[key] = value[key];
  }
  return context;
}
