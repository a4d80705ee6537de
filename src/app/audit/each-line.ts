import { difference, type Difference } from '../../domain/difference.ts';
import type { PlacedLines } from '../../ports/health.ts';

/**
 * @param take returns a promise only when it must wait: there may be millions of lines
 * @returns the number of lines
 */
export async function eachLine<T>(
  chunks: AsyncIterable<PlacedLines<T>>,
  report: (found: Difference) => void,
  take: (value: T, file: string, line: number) => Promise<void> | undefined,
): Promise<number> {
  let count = 0;
  for await (const { file, firstLine, lines } of chunks) {
    for (const [at, value] of lines.entries()) {
      if (value === undefined) report(unreadable(file, firstLine + at));
      else {
        const waiting = take(value, file, firstLine + at);
        if (waiting !== undefined) await waiting;
      }
    }
    count += lines.length;
  }
  return count;
}

export function unreadable(file: string, line: number): Difference {
  const where = `${file}:${line}`;
  return difference('line_unreadable', where, { message: `${where} is not a line that orderctl wrote` });
}
