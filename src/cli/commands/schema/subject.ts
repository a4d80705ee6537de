import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { WantedSchema } from '../../../app/setup/plan.ts';
import { checkSchema, type SchemaCheck } from '../../../app/schema/check.ts';
import { openSchemaTools } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { errorCode } from '../../error-code.ts';
import type { DeclaredMessage } from '../../../domain/messages/message.ts';
import { ORDER } from '../../../domain/messages/shop/order.ts';
import { topicOf } from '../../../domain/messages/topic-names.ts';
import type { SchemaTools } from '../../../ports/schema-registry.ts';
import { registryConnection } from '../../kafka/connection.ts';
import { describe } from '../../help.ts';
import { quoted } from '../../hints.ts';
import { messageWords, namedMessages, takingMessages, type MessageFlags } from '../../messages.ts';
import { differenceLine } from '../../output/schema.ts';
import type { Session } from '../../session.ts';

export const SUBJECT =
  'By default this is the schema of orders; name messages, or use --all, for others of the catalogue. The subject of a ' +
  'schema is named after its topic: orders-value.';
/** No schema is larger. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Flags extends MessageFlags {
  readonly file?: string;
}

export interface Run extends Pick<Session, 'printer' | 'isJson'> {
  readonly tools: SchemaTools;
  readonly asked: readonly WantedSchema[];
  /** The arguments and flags that select the schemas, to be repeated in another command. */
  readonly words: string;
  /** Whether the document is a list. */
  readonly isList: boolean;
}

export function addVerb(
  parent: Command,
  session: Session,
  name: string,
  run: (of: Run) => Promise<void>,
  help: Parameters<typeof describe>[1],
): void {
  takingMessages(describe(parent.command(name), help))
    .option('--file <FILE>', 'use this schema (.avsc) instead of the one of the message')
    .action(async (names: readonly string[], flags: Flags) => {
      const messages = await namedMessages(session, names, flags);
      const words =
        messageWords(names, flags) + (flags.file === undefined ? '' : ` --file ${quoted(flags.file)}`);
      const isList = messages !== null && (messages.length > 1 || flags.all === true);
      if (flags.file !== undefined && isList)
        throw new Failure('usage', '--file applies to a single message', {
          fix: 'name one message',
        });
      const file = flags.file === undefined ? null : { name: flags.file, text: await readSchema(flags.file) };
      const asked = (messages ?? [ORDER])
        .filter((message) => !isList || message.schema !== null)
        .map((message) => askedOf(message, session, file));
      const tools = await openSchemaTools(registryConnection(session.resolved));
      if (file !== null) tools.validate(file.text, file.name);
      await run({ printer: session.printer, isJson: session.isJson, tools, asked, words, isList });
    });
}

export function askedOf(
  message: DeclaredMessage,
  { settings }: Session,
  file: { readonly name: string; readonly text: string } | null,
): WantedSchema {
  const { name, schema } = message;
  if (schema === null) {
    throw new Failure('invalid_value', `${name} has no schema: it has records of other topics, unchanged`, {
      fix: 'omit it',
    });
  }
  return {
    message: name,
    subject: `${topicOf(message, settings.topics)}-value`,
    schema: file?.text ?? JSON.stringify(schema),
    what: file?.name ?? (name === ORDER.name ? 'the order schema' : `the schema of ${name}`),
  };
}

/** Prints one document, or a list of all. */
export async function printDocuments({ printer, isList }: Run, documents: readonly object[]): Promise<void> {
  await printer.data(`${JSON.stringify(isList ? { schemas: documents } : documents[0])}\n`);
}

/** @throws Failure not_found, invalid_value, invalid_input */
async function readSchema(file: string): Promise<string> {
  const about = { fix: 'give the path of an Avro schema (.avsc)', context: { file } };
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      const message = `--file: ${file} has ${size} bytes, more than any schema`;
      throw new Failure('invalid_input', message, about);
    }
    return (await readFile(file, 'utf8')).replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = errorCode(error);
    if (code === 'ENOENT') throw new Failure('not_found', `--file: ${file} does not exist`, about);
    throw new Failure('invalid_value', `--file: ${file} cannot be read (${code})`, about);
  }
}

export interface Checked {
  readonly of: WantedSchema;
  readonly check: SchemaCheck;
}

export async function checkAll({ tools, asked }: Run): Promise<Checked[]> {
  const checks: Checked[] = [];
  for (const of of asked) {
    const { subject, schema, what } = of;
    checks.push({ of, check: await checkSchema(tools, { subject, schema, name: what }) });
  }
  return checks;
}

/** @throws Failure incompatible_schema */
export function refuseIncompatible(checks: readonly Checked[]): void {
  const refused = checks.find(({ check: { compatible } }) => !compatible);
  if (refused !== undefined) throw incompatible(refused.check, refused.of.what);
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
