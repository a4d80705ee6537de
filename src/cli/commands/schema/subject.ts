import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { type SchemaCheck } from '../../../app/schema/check.ts';
import { openSchemaTools } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { errorCode } from '../../error-code.ts';
import { ORDER } from '../../../domain/messages/shop/order.ts';
import type { SchemaTools } from '../../../ports/schema-registry.ts';
import { registryConnection } from '../../kafka/connection.ts';
import { describe } from '../../help.ts';
import { differenceLine } from '../../output/schema.ts';
import type { Session } from '../../session.ts';

export const SUBJECT = 'The subject is that of the values of --topic: orders-value.';
/** Schemas are text for people. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Flags {
  file?: string;
}

export interface Asked {
  readonly tools: SchemaTools;
  readonly subject: string;
  readonly schema: string;
  /** For messages. */
  readonly what: string;
}

export function addVerb(
  parent: Command,
  session: Session,
  name: string,
  run: (session: Session, asked: Asked) => Promise<void>,
  help: Parameters<typeof describe>[1],
): void {
  describe(parent.command(name), help)
    .option('--file <FILE>', 'another schema (.avsc) than the one that orders are written with')
    .action(async ({ file }: Flags) => {
      const tools = await openSchemaTools(registryConnection(session.resolved));
      const subject = `${session.settings.topic}-value`;
      const schema = file === undefined ? JSON.stringify(ORDER.schema) : await readSchema(file);
      await run(session, { tools, subject, schema, what: file ?? 'the order schema' });
    });
}

/** @throws Failure not_found, invalid_value, invalid_input */
async function readSchema(file: string): Promise<string> {
  const context = { file };
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      throw new Failure('invalid_input', `--file: ${file} has ${size} bytes, more than any schema`, {
        fix: 'give the path of an Avro schema (.avsc)',
        context,
      });
    }
    const text = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
    JSON.parse(text);
    return text;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof SyntaxError) {
      throw new Failure('invalid_input', `${file} is not JSON: ${error.message.slice(0, 200)}`, {
        fix: 'give the path of an Avro schema (.avsc)',
        context,
      });
    }
    const code = errorCode(error);
    throw new Failure(
      code === 'ENOENT' ? 'not_found' : 'invalid_value',
      `--file: ${file} cannot be read (${code})`,
      { fix: 'give the path of an Avro schema (.avsc)', context },
    );
  }
}

export function incompatible({ report, messages, differences }: SchemaCheck, what: string): Failure {
  const { subject, compatibility } = report;
  const reasons = differences.length > 0 ? differences.map(differenceLine) : messages;
  const list = reasons.slice(0, 20).map((reason) => `\n  ${reason}`);
  return new Failure(
    'incompatible_schema',
    `${what} is not compatible with subject ${subject} (${compatibility}):${list.join('')}`,
    {
      fix: 'change these fields (a new one needs a default), use another --topic, or change the level of the subject',
    },
  );
}
