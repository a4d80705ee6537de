import { Failure } from '../../domain/failure.ts';
import type { SchemaTools } from '../../ports/schema-registry.ts';
import { findDifferences } from './compatibility.ts';
import { Registry, type RegistryOptions } from './registry.ts';
import { parseSchema } from './schema.ts';

export function createSchemaTools(options: RegistryOptions): SchemaTools {
  return {
    registry: new Registry(options),
    validate: (schema, name) => {
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
