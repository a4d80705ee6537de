import { readFileSync } from 'node:fs';

/**
 * A folder of format 2, by file: two accepted orders, two rejected ones and two dead letters, one of each committed after
 * the checkpoint by an owner that was killed.
 */
export function formerFolder(): ReadonlyMap<string, Buffer> {
  const text = readFileSync(new URL('folder-of-format-2.json', import.meta.url), 'utf8');
  const files = JSON.parse(text) as Record<string, string | { base64: string }>;
  return new Map(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64'),
    ]),
  );
}
