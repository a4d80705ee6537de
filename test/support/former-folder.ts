import { readFileSync } from 'node:fs';

/**
 * A folder of an earlier format, by file, whose owner was killed after a checkpoint and further commits. Format 2: two
 * accepted orders, two rejected ones and two dead letters, one of each after the checkpoint. Formats 3 and 4: messages
 * waiting for three destinations, some of them after the checkpoint, with sent ones in between.
 */
export function formerFolder(format: 2 | 3 | 4): ReadonlyMap<string, Buffer> {
  const text = readFileSync(new URL(`folder-of-format-${format}.json`, import.meta.url), 'utf8');
  const files = JSON.parse(text) as Record<string, string | { base64: string }>;
  return new Map(
    Object.entries(files).map(([name, content]) => [
      name,
      typeof content === 'string' ? Buffer.from(content) : Buffer.from(content.base64, 'base64'),
    ]),
  );
}
