import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';

/** The outcome of one of several operations in a request. */
export interface Outcome {
  readonly error: ErrorCode;
  readonly message: string | null;
}

/** Turns a KafkaError into an outcome; other errors pass through. */
export function attempt(what: () => void): Outcome {
  try {
    what();
    return { error: ERROR.NONE, message: null };
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error;
    return { error: error.code, message: error.message };
  }
}
