import { Failure } from '../../domain/failure.ts';
import type { SchemaTools } from '../../ports/schema-registry.ts';
import { findDifferences } from './compatibility.ts';
import { Registry, type RegistryOptions } from './registry/registry.ts';
import { findJsonError } from './json-error.ts';
import { parseSchema } from './schema.ts';

export function createSchemaTools(options: RegistryOptions): SchemaTools {
  return {
    registry: new Registry(options),
    validate: (schema, name) => {
      refuseBroken(schema, name);
      const problem = problemOf(schema);
      if (problem === null) return;
      throw new Failure('invalid_input', `${name} is not a valid Avro schema: ${problem}`, {
        fix: 'correct the schema',
      });
    },
    differences: (reader, writer) => {
      const problem = problemOf(reader) ?? problemOf(writer);
      if (problem !== null)
        return [{ field: '', reason: `one of them is not a valid Avro schema: ${problem}` }];
      return findDifferences(reader, writer);
    },
  };
}

function problemOf(schema: string): string | null {
  try {
    parseSchema(schema, []);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : String(error);
  }
}

/** @throws Failure invalid_input: it is not JSON */
function refuseBroken(schema: string, name: string): void {
  const bytes = Buffer.from(schema);
  const broken = findJsonError(bytes);
  if (broken === null) return;
  const line = bytes.subarray(0, broken.position).toString().split('\n').length;
  throw new Failure('invalid_input', `${name}:${line} is not valid JSON: ${broken.message}`, {
    fix: 'correct the schema',
    context: { line },
  });
}
