import { Failure } from '../../domain/failure.ts';
import type { ProcessorTopics } from './group-positions.ts';

/*
 * The format that kafka-consumer-groups writes with --export and reads with --from-file, as tested with Kafka 4.3.1. A
 * line is `topic,partition,offset` for one group, `group,topic,partition,offset` for several.
 */

export interface FileOffsets {
  /** By topic and partition; topics without a line are left out. */
  readonly offsets: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** The number of lines about other topics or groups, which are ignored. */
  readonly others: number;
}

export function renderOffsets(
  topic: string,
  rows: readonly { readonly partition: number; readonly offset: number }[],
): string {
  return rows.map(({ partition, offset }) => `${topic},${partition},${offset}\n`).join('');
}

/** A group name may hold any text, so it is whatever precedes the other fields; the tool quotes unusual names. */
const LINE =
  /^(?:(?<group>.+),)?"?(?<topic>[\w.-]{1,249})"?,"?(?<partition>\d{1,9})"?,"?(?<offset>\d{1,16})"?$/;

/**
 * @param name the name of the file in messages
 * @throws Failure invalid_input with file and line, or when no line is about these topics and this group
 */
export async function parseOffsets(
  lines: AsyncIterable<string>,
  name: string,
  { topics, group }: Pick<ProcessorTopics, 'topics' | 'group'>,
): Promise<FileOffsets> {
  const offsets = new Map<string, Map<number, number>>();
  let others = 0;
  let line = 0;
  for await (const text of lines) {
    line += 1;
    if (text.trim() === '') continue;
    const found = LINE.exec(text.trim())?.groups;
    const offset = Number(found?.offset);
    if (found === undefined || !Number.isSafeInteger(offset)) {
      throw badLine(name, line, `${JSON.stringify(text.slice(0, 100))} is not TOPIC,PARTITION,OFFSET`);
    }
    const { topic = '' } = found;
    if (!topics.includes(topic) || (found.group !== undefined && unquoted(found.group) !== group)) {
      others += 1;
      continue;
    }
    const partition = Number(found.partition);
    const ofTopic = offsets.get(topic) ?? new Map<number, number>();
    if (ofTopic.has(partition)) throw badLine(name, line, `partition ${partition} is listed a second time`);
    offsets.set(topic, ofTopic.set(partition, offset));
  }
  if (offsets.size === 0) {
    throw badLine(
      name,
      null,
      `no line is about topic ${topics.join(' or ')}${others > 0 ? ` and group ${group}` : ''}`,
    );
  }
  return { offsets, others };
}

function unquoted(text: string): string {
  return /^".*"$/.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text;
}

function badLine(file: string, line: number | null, why: string): Failure {
  return new Failure('invalid_input', `${file}${line === null ? '' : `:${line}`}: ${why}`, {
    fix: { kind: 'offsets_file' },
    context: { file, ...(line === null ? {} : { line }) },
  });
}
