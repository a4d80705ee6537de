// @ts-nocheck: the packages are those of this folder, and not always installed.
import fs from 'node:fs';
import { AvroSchemaParser } from '@asyncapi/avro-schema-parser';
import { Parser } from '@asyncapi/parser';

/*
 * Parses an AsyncAPI document, schemas of Avro included. Prints what is wrong with it, and how much it holds.
 *
 * usage: node asyncapi.mjs FILE
 */

const parser = new Parser();
const avro = AvroSchemaParser();
/** In documents of AsyncAPI 3 the parser converts schemas, and leaves out whether they are valid. */
const invalid = [];
parser.registerSchemaParser({
  ...avro,
  async parse(input) {
    invalid.push(
      ...(await avro.validate(input)).map(({ message, path }) => ({ severity: 0, message, path })),
    );
    return avro.parse(input);
  },
});
const { document, diagnostics } = await parser.parse(fs.readFileSync(process.argv[2], 'utf8'));
const found = {
  diagnostics: [
    ...diagnostics.map(({ severity, message, path }) => ({ severity, message, path })),
    ...invalid,
  ],
  channels: document?.allChannels().length ?? 0,
  operations: document?.allOperations().length ?? 0,
  payloads: document?.allMessages().filter((message) => message.hasPayload()).length ?? 0,
};
process.stdout.write(JSON.stringify(found));
