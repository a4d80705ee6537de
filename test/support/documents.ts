import { Type, type TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { expect } from 'vitest';
import { HourlySales, TopProducts } from '../../src/documents/reports/analytics.ts';
import { DailyReport, WrittenReport } from '../../src/documents/reports/daily.ts';
import { SupplierEdit, SupplierImport, SupplierList } from '../../src/documents/reports/suppliers.ts';
import { Audit } from '../../src/documents/audit.ts';
import { WhatIf } from '../../src/documents/reports/what-if.ts';
import { Backup } from '../../src/documents/store/backup.ts';
import { CheckoutExplanation, CheckoutOrder, Wish } from '../../src/documents/checkout/order.ts';
import { Settings } from '../../src/documents/config.ts';
import {
  DeadLetter,
  DiscardedDeadLetters,
  RedrivenDeadLetter,
  ShownDeadLetter,
  SkippedDeadLetter,
  UnknownDeadLetter,
} from '../../src/documents/dead-letter.ts';
import { Demo, Services, Serving, Up } from '../../src/documents/development.ts';
import { Diagnosis } from '../../src/documents/doctor.ts';
import { ErrorDocument, LogLine } from '../../src/documents/error.ts';
import { Experiment } from '../../src/documents/http/experiment.ts';
import { Offsets, OffsetsReset } from '../../src/documents/offsets.ts';
import { Decision, Explanation, Order, Sent, SkippedOrder } from '../../src/documents/order.ts';
import { RegisteredSchemas, SchemaChecks, SchemaReports } from '../../src/documents/schema.ts';
import { SentEvent, SentEventsSummary } from '../../src/documents/reports/source-events.ts';
import { ErasedUser } from '../../src/documents/store/erased.ts';
import {
  ArchivedDocument,
  CopiedStoreDocument,
  MigratedStore,
  StoreDocument,
} from '../../src/documents/store/store.ts';
import { Status, Stopped } from '../../src/documents/status.ts';
import {
  ConsumeSummary,
  DeadLetterListSummary,
  ProduceSummary,
  RedriveSummary,
  ReplaySummary,
  RunSummary,
} from '../../src/documents/summary.ts';
import {
  EditLog,
  ItemEdit,
  ItemList,
  TableEdit,
  TableImport,
  TableUndo,
  UserEdit,
  UserList,
} from '../../src/documents/table.ts';
import { AppliedAcls, Acls } from '../../src/documents/acl.ts';
import { AppliedTopics, Setup, Topics } from '../../src/documents/topics.ts';

/** The output of a command under `-o json`: one document, or any number of lines and then, for some, a summary. */
type Output =
  | { readonly one: TSchema }
  | { readonly lines: readonly TSchema[]; readonly summary: TSchema | null }
  | 'text';

const OUTPUTS: Readonly<Record<string, Output>> = {
  'user add': { one: UserEdit },
  'user update': { one: UserEdit },
  'user remove': { one: UserEdit },
  'user edit': { one: TableEdit },
  'user show': { one: UserList },
  'inventory add': { one: ItemEdit },
  'inventory update': { one: ItemEdit },
  'inventory remove': { one: ItemEdit },
  'inventory edit': { one: TableEdit },
  'inventory show': { one: ItemList },
  'user import': { one: TableImport },
  'user log': { one: EditLog },
  'user undo': { one: TableUndo },
  'inventory import': { one: TableImport },
  'inventory log': { one: EditLog },
  'inventory undo': { one: TableUndo },
  'supplier add': { one: SupplierEdit },
  'supplier update': { one: SupplierEdit },
  'supplier remove': { one: SupplierEdit },
  'supplier show': { one: SupplierList },
  'supplier import': { one: SupplierImport },
  backup: { one: Backup },
  'report daily': { one: WrittenReport },
  'report show': { one: DailyReport },
  'store show': { one: StoreDocument },
  'user erase': { one: ErasedUser },
  'store archive': { one: ArchivedDocument },
  'store copy': { one: CopiedStoreDocument },
  'store init': { one: MigratedStore },
  'store migrate': { one: MigratedStore },
  'analytics show': { one: HourlySales },
  'analytics top': { one: TopProducts },
  restore: { one: Backup },
  produce: { lines: [Sent, SentEvent], summary: Type.Union([ProduceSummary, SentEventsSummary]) },
  consume: { lines: [Decision], summary: ConsumeSummary },
  run: { lines: [], summary: RunSummary },
  replay: { lines: [Sent, SkippedOrder], summary: ReplaySummary },
  'order show': { one: Type.Union([Order, CheckoutOrder]) },
  'order cancel': { one: Wish },
  'order dispatch': { one: Wish },
  'order list': { lines: [Order, CheckoutOrder], summary: null },
  'order explain': { one: Type.Union([Explanation, CheckoutExplanation]) },
  'offsets show': { one: Offsets },
  'offsets reset': { one: OffsetsReset },
  'offsets undo': { one: OffsetsReset },
  // The file can also be read by kafka-consumer-groups.
  'offsets export': 'text',
  'dlq list': { lines: [DeadLetter], summary: DeadLetterListSummary },
  'dlq show': { one: ShownDeadLetter },
  'dlq redrive': {
    lines: [RedrivenDeadLetter, SkippedDeadLetter, UnknownDeadLetter],
    summary: RedriveSummary,
  },
  'dlq discard': { one: DiscardedDeadLetters },
  'acl show': { one: Acls },
  'acl apply': { one: AppliedAcls },
  'topics show': { one: Topics },
  'topics apply': { one: AppliedTopics },
  setup: { one: Setup },
  'schema show': { one: SchemaReports },
  'schema check': { one: SchemaChecks },
  'schema register': { one: RegisteredSchemas },
  audit: { one: Audit },
  'what-if': { one: WhatIf },
  // With --watch, one per second.
  status: { lines: [Status], summary: null },
  stop: { one: Stopped },
  doctor: { one: Diagnosis },
  'config show': { one: Settings },
  dev: { one: Services },
  serve: { one: Serving },
  up: { one: Up },
  break: { one: Experiment },
  demo: { one: Demo },
  // A script for a shell.
  completion: 'text',
};

/** Every command whose output is declared, and the commands that print JSON. */
export const COMMANDS = Object.keys(OUTPUTS);
export const JSON_COMMANDS = COMMANDS.filter((command) => OUTPUTS[command] !== 'text');

/** By test file: files may share a process. */
const seen = new Map<string, Set<string>>();

/** To be called when a process starts: one that is killed with its test may exit during the next file's tests. */
export function currentTestFile(): string {
  return expect.getState().testPath ?? '';
}

function seenBy(file: string): Set<string> {
  const commands = seen.get(file) ?? new Set();
  seen.set(file, commands);
  return commands;
}

/** The commands whose JSON this test file has compared with its schema so far. */
export function validatedCommands(): ReadonlySet<string> {
  return seenBy(currentTestFile());
}

/** For tests of commands that test/e2e/json.test.ts does not run. */
export function expectValidated(command: string): void {
  if (!seenBy(currentTestFile()).has(command))
    throw new Error(`no JSON of "${command}" was compared with its schema here`);
}

interface Ended {
  /** null: it was killed, perhaps in the middle of a line. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Compares everything that a command of this test file printed under `-o json` with the schemas of src/documents,
 * including the error on stderr; ignores other output. @throws Error that names the command, the document and what is
 * wrong with it
 */
export function validateOutput(
  file: string,
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  ended: Ended,
): void {
  if (!asksForJson(words, env)) return;
  const { code, stdout, stderr } = ended;
  if (code !== null && code !== 0) validate(words, [ErrorDocument], lastLine(stderr));
  // Log messages are JSON too, up to the point where it was killed.
  const messages = stderr.split('\n').slice(0, -1);
  for (const line of messages) validate(words, [LogLine, ErrorDocument], line);
  const command = commandOf(words);
  const output = command === null ? 'text' : (OUTPUTS[command] ?? 'text');
  if (command === null || output === 'text') return;
  const lines = stdout.split('\n');
  const rest = lines.pop() ?? '';
  if (rest !== '' && code !== null)
    throw new Error(`${words.join(' ')}: its output ends within a line: ${rest}`);
  if ('one' in output) {
    if (lines.length > 1 || (code === 0 && lines.length === 0)) {
      throw new Error(`${words.join(' ')}: ${lines.length} documents instead of one:\n${stdout}`);
    }
    for (const line of lines) validate(words, [output.one], line);
  } else {
    const { lines: schemas, summary } = output;
    const hasSummary = summary !== null && (code === 0 || isSummary(lines.at(-1) ?? ''));
    const last = hasSummary ? (lines.pop() ?? '') : null;
    for (const line of lines) validate(words, schemas, line);
    if (last !== null && summary !== null) validate(words, [summary], last);
  }
  if (stdout !== '') seenBy(file).add(command);
}

function isSummary(line: string): boolean {
  return line.startsWith('{"type":"summary"');
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

const validators = new Map<TSchema, Validator>();

function validatorOf(schema: TSchema): Validator {
  let validator = validators.get(schema);
  if (validator === undefined) validators.set(schema, (validator = Compile(schema)));
  return validator;
}

function validate(words: readonly string[], schemas: readonly TSchema[], line: string): void {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch {
    throw new Error(`${words.join(' ')}: this is not JSON: ${line}`);
  }
  if (schemas.some((schema) => validatorOf(schema).Check(document))) return;
  const problems = schemas.map((schema) =>
    validatorOf(schema)
      .Errors(document)
      .map(
        ({ instancePath, message, params }) =>
          `  ${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
      )
      .join('\n'),
  );
  throw new Error(
    `${words.join(' ')}: not as src/documents declares it: ${line}\n${problems.join('\n  or\n')}`,
  );
}

function asksForJson(words: readonly string[], env: NodeJS.ProcessEnv): boolean {
  const text = ` ${words.join(' ')} `;
  if (/ (--help|-h|help|--version|-V|__complete) /.test(text)) return false;
  const given = / (?:-o|--output)[ =]?(\w+) /.exec(text)?.[1] ?? env.ORDERCTL_OUTPUT;
  return given?.toLowerCase() === 'json';
}

/** The longest command that the words name, wherever the flags are. */
function commandOf(words: readonly string[]): string | null {
  for (const [at, word] of words.entries()) {
    const pair = `${word} ${words[at + 1] ?? ''}`;
    if (pair in OUTPUTS) return pair;
    if (word in OUTPUTS) return word;
  }
  return null;
}
