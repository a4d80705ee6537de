import { ERROR, type ErrorCode, type ErrorName } from './wire/errors.ts';

/** What goes wrong with a request. */
export type Fault =
  /** The connection ends before the request is handled, or after it but before the answer. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  /** It is neither handled nor answered; the connection stays open. */
  | { readonly kind: 'silence' }
  /** It is handled late, and so is everything that the client sends after it. */
  | { readonly kind: 'delay'; readonly delayMs: number }
  /** It is handled twice, as if the client had sent it again; the second answer is sent. */
  | { readonly kind: 'duplicate' }
  /** The connection ends in the middle of the answer to it. */
  | { readonly kind: 'cut' }
  /** It is not handled but answered with this error. */
  | { readonly kind: 'error'; readonly error: ErrorName };

/** Which requests a fault affects: those that match all given fields. */
interface FaultRule {
  readonly fault: Fault;
  /** The API's name in the protocol: `Produce`, `Fetch`, … */
  readonly api?: string;
  readonly clientId?: string;
  readonly connectionId?: number;
  /** Matching requests to let through first; default 0. */
  readonly skip?: number;
  /** Requests to affect; default 1, Infinity for all. */
  readonly times?: number;
}

/** An active rule. */
interface ActiveFault {
  /** Requests affected so far. */
  readonly hits: number;
  remove(): void;
}

interface IncomingRequest {
  readonly api: string;
  readonly clientId: string;
  readonly connectionId: number;
}

/** Fault injection, for tests of clients. The first matching rule applies. */
export class Faults {
  readonly #apis: ReadonlySet<string>;
  readonly #rules = new Set<{ rule: FaultRule; seen: number; hits: number }>();

  constructor(apis: ReadonlySet<string>) {
    this.#apis = apis;
  }

  /** @throws RangeError for an API that this broker does not have */
  add(rule: FaultRule): ActiveFault {
    if (rule.api !== undefined && !this.#apis.has(rule.api)) {
      throw new RangeError(
        `API ${rule.api} does not exist; the APIs are: ${[...this.#apis].sort().join(', ')}`,
      );
    }
    const entry = { rule, seen: 0, hits: 0 };
    this.#rules.add(entry);
    return {
      get hits() {
        return entry.hits;
      },
      remove: () => void this.#rules.delete(entry),
    };
  }

  clear(): void {
    this.#rules.clear();
  }

  /** @returns the fault for this request, counted as used */
  take(request: IncomingRequest): Fault | undefined {
    for (const entry of this.#rules) {
      if (!fits(entry.rule, request)) continue;
      entry.seen += 1;
      if (entry.seen <= (entry.rule.skip ?? 0)) continue;
      entry.hits += 1;
      if (entry.hits >= (entry.rule.times ?? 1)) this.#rules.delete(entry);
      return entry.rule.fault;
    }
    return undefined;
  }
}

function fits({ api, clientId, connectionId }: FaultRule, request: IncomingRequest): boolean {
  return (
    (api === undefined || api === request.api) &&
    (clientId === undefined || clientId === request.clientId) &&
    (connectionId === undefined || connectionId === request.connectionId)
  );
}

export function faultCode(fault: Extract<Fault, { kind: 'error' }>): ErrorCode {
  return ERROR[fault.error];
}
