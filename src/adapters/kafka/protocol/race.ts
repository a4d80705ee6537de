import { isConnectionError, isRefused } from './errors.ts';

/**
 * Returns the result of the first attempt that succeeds. The next attempt starts when the one before fails or has
 * taken `staggerMs`; attempts under way continue in parallel.
 *
 * @throws when all have failed, the most informative error: an answer, then silence, then a refused connection
 */
export function firstSuccess<T>(attempts: readonly (() => Promise<T>)[], staggerMs: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const errors: unknown[] = [];
    let begun = 0;
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      clearTimeout(timer);
      const attempt = attempts[begun];
      if (attempt === undefined) return;
      begun += 1;
      timer = setTimeout(begin, staggerMs);
      attempt().then(
        (result) => {
          clearTimeout(timer);
          begun = attempts.length;
          resolve(result);
        },
        (error: unknown) => {
          errors.push(error);
          if (errors.length === attempts.length) {
            clearTimeout(timer);
            reject(mostTelling(errors));
          } else begin();
        },
      );
    };
    begin();
  });
}

/** Settles with the promise, or rejects as soon as the signal aborts; the promise's own error is then ignored. */
export async function interruptible<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    promise.catch(() => undefined);
  }
}

function mostTelling(errors: readonly unknown[]): Error {
  const found =
    errors.find((error) => !isConnectionError(error)) ??
    errors.find((error) => !isRefused(error)) ??
    errors[0];
  return found instanceof Error ? found : new Error(String(found));
}
