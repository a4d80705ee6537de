import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';

/** How one of several things in a request went. */
export interface Outcome {
  readonly error: ErrorCode;
  readonly message: string | null;
}

/** Does it; a refusal is an outcome, anything else is thrown on. */
export function attempt(what: () => void): Outcome {
  try {
    what();
    return { error: ERROR.NONE, message: null };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return { error: error.code, message: error.message };
  }
}
