import { readFile, stat } from 'node:fs/promises';
import type { Command } from 'commander';
import type { RegisteredSchema } from '../../../documents/schema.ts';
import { checkSchema, reportSchema, type SchemaCheck } from '../../../app/schema/check.ts';
import { openSchemaTools } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { ORDER } from '../../../domain/messages/shop/order.ts';
import type { SchemaTools } from '../../../ports/schema-registry.ts';
import { registryConnection } from '../../kafka/connection.ts';
import { describe } from '../../help.ts';
import { checkDocument, differenceLine, reportDocument, reportLines } from '../../output/schema.ts';
import type { Session } from '../../session.ts';

const SUBJECT = 'The subject is that of the values of --topic: orders-value.';
/** Schemas are text for people. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Flags {
  file?: string;
}

export function register(program: Command, session: Session): void {
  const schema = describe(program.command('schema'), {
    summary: 'the schema of orders in the registry',
    prose: `Holds the schema that orders are written with against the registry. ${SUBJECT}`,
    examples: [
      ['orderctl schema show', 'what the registry has'],
      ['orderctl schema check --file order-v2.avsc', 'whether a new schema would be taken'],
    ],
  });
  add(schema, session, 'show', show, {
    summary: 'what the registry has of it',
    prose: `Shows the versions of the subject, its compatibility level and whether the schema is the latest. ${SUBJECT}`,
    examples: [['orderctl schema show -o json | jq -r .latest.schema', "the latest version's text"]],
  });
  add(schema, session, 'check', check, {
    summary: 'whether the registry would take it',
    prose:
      'Asks the registry whether the schema could be registered, and says by which fields and why not. Registers ' +
      `nothing. Exit code 6 when it could not. ${SUBJECT}`,
    examples: [['orderctl schema check --file order-v2.avsc', 'before it goes into use']],
  });
  add(schema, session, 'register', registerSchema, {
    summary: 'register it',
    prose:
      'Registers the schema as a new version, unless it is there already. Exit code 6, with the fields and why, ' +
      `when it is not compatible. ${SUBJECT}`,
    examples: [['orderctl schema register', 'ahead of the first order, or with --no-register elsewhere']],
  });
}

interface Asked {
  readonly tools: SchemaTools;
  readonly subject: string;
  readonly schema: string;
  /** For messages. */
  readonly what: string;
}

function add(
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
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Failure(
      code === 'ENOENT' ? 'not_found' : 'invalid_value',
      `--file: ${file} cannot be read (${code})`,
      { fix: 'give the path of an Avro schema (.avsc)', context },
    );
  }
}

async function show({ printer, isJson }: Session, { tools, subject, schema, what }: Asked): Promise<void> {
  const report = await reportSchema(tools, { subject, schema });
  await printer.data(isJson ? `${JSON.stringify(reportDocument(report))}\n` : reportLines(report, what));
  if (report.latest === null)
    printer.info('"orderctl schema register" registers it; so does the first order sent');
}

async function check({ printer, isJson }: Session, { tools, subject, schema, what }: Asked): Promise<void> {
  const found = await checkSchema(tools, { subject, schema, name: what });
  if (isJson) await printer.data(`${JSON.stringify(checkDocument(found))}\n`);
  if (!found.compatible) throw incompatible(found, what);
  const { compatibility } = found.report;
  if (!isJson) await printer.data(`${what} can be registered under ${subject} (${compatibility})\n`);
  if (compatibility === 'NONE' && found.report.latest !== null) {
    printer.warn(`the level of ${subject} is NONE: the registry compares nothing`);
    for (const difference of found.differences) printer.warn(differenceLine(difference));
  }
}

async function registerSchema(
  { printer, isJson }: Session,
  { tools, subject, schema, what }: Asked,
): Promise<void> {
  const found = await checkSchema(tools, { subject, schema, name: what });
  const before = found.report.registered;
  if (before === null && !found.compatible) throw incompatible(found, what);
  const id = before?.id ?? (await tools.registry.register(subject, schema));
  const version = before?.version ?? (await tools.registry.find(subject, schema))?.version ?? null;
  const document: RegisteredSchema = { subject, id, version, registered: before === null };
  const verb = before === null ? 'is registered' : 'was registered before';
  const text = `${what} ${verb} under ${subject}: version ${version ?? 'unknown'}, id ${id}`;
  await printer.data(`${isJson ? JSON.stringify(document) : text}\n`);
}

function incompatible({ report, messages, differences }: SchemaCheck, what: string): Failure {
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
