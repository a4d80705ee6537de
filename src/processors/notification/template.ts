import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { TIME, type Message } from '../../domain/messages/message.ts';

/** A parsed text: pieces of text, and the fields between them. */
type Pieces = readonly (string | FieldOf)[];

interface FieldOf {
  readonly field: string;
  readonly isTime: boolean;
}

/** A text with placeholders for fields: `{{order_id}}`. */
export interface Template {
  readonly subject: Pieces;
  readonly body: Pieces;
}

/** The text of a notification. */
export interface Text {
  readonly subject: string;
  readonly body: string;
}

const SUBJECT = /^Subject: *(\S.*)$/;
const FIELD = /\{\{(.*?)\}\}/g;

/**
 * Parses a template file: a line `Subject: …`, an empty line, and the body.
 *
 * @param file the name of the file in messages
 * @throws Failure invalid_input (no subject, or the message has no such field), with file and line
 */
export function parseTemplate(text: string, file: string, { name, schema }: Message): Template {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replaceAll('\r\n', '\n')
    .split('\n');
  const [, subject] = SUBJECT.exec(lines[0] ?? '') ?? [];
  const bad = (line: number, why: string, fix: string): Failure =>
    new Failure('invalid_input', `${file}:${line}: ${why}`, { fix, context: { file, line } });
  if (subject === undefined || (lines[1] ?? '') !== '') {
    const why = 'a template must start with a line "Subject: …" and an empty line';
    throw bad(subject === undefined ? 1 : 2, why, 'start it with these two lines, followed by the body');
  }
  const known = schema.fields.map((field) => field.name);
  for (const [at, line] of lines.entries()) {
    for (const [whole, field = ''] of line.matchAll(FIELD)) {
      if (known.includes(field.trim())) continue;
      throw bad(at + 1, `${whole} is not a field of ${name}`, `use one of ${known.join(', ')}`);
    }
  }
  const times = new Set(schema.fields.filter(({ type }) => type === TIME).map((field) => field.name));
  const body = `${lines.slice(2).join('\n').trimEnd()}\n`;
  return { subject: piecesOf(subject, times), body: piecesOf(body, times) };
}

function piecesOf(text: string, times: ReadonlySet<string>): Pieces {
  // The pattern captures the name, so that texts and names alternate.
  return text.split(FIELD).map((piece, at) => {
    const field = piece.trim();
    return at % 2 === 0 ? piece : { field, isTime: times.has(field) };
  });
}

/** Replaces the placeholders. @param fields fields of the message; null is replaced by nothing */
export function fill({ subject, body }: Template, fields: Readonly<Record<string, unknown>>): Text {
  return { subject: filled(subject, fields), body: filled(body, fields) };
}

/** Inserted values are not expanded again: a customer's name may be {{detail}}. */
function filled(pieces: Pieces, fields: Readonly<Record<string, unknown>>): string {
  let text = '';
  for (const piece of pieces) {
    if (typeof piece === 'string') text += piece;
    else text += piece.isTime ? isoTime(fields[piece.field] as number) : inWords(fields[piece.field]);
  }
  return text;
}

function inWords(value: unknown): string {
  if (!Array.isArray(value))
    return value === null || value === undefined ? '' : `${value as string | number}`;
  const lines = value as readonly { readonly product_id: string; readonly quantity: number }[];
  return lines.map(({ product_id, quantity }) => `${quantity} × ${product_id}`).join('\n');
}
