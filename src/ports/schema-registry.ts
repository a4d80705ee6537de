export interface SchemaVersion {
  readonly version: number;
  readonly id: number;
  readonly schema: string;
}

/** A difference that makes two schemas incompatible, by the field of the one that is checked. */
export interface SchemaDifference {
  /** `items[].quantity`; empty for the schema as a whole. */
  readonly field: string;
  readonly reason: string;
}

/**
 * Schemas by subject. Every method @throws Failure registry_unreachable (no answer, overloaded or failing: try again)
 * or registry_refused (credentials, or an answer that is not from a registry).
 */
export interface SchemaRegistry {
  /** In ascending order; empty when there is no such subject. */
  versions(subject: string): Promise<readonly number[]>;
  version(subject: string, version: number): Promise<SchemaVersion | undefined>;
  /** Under which version and id a schema stands, or undefined when it does not. */
  find(subject: string, schema: string): Promise<{ id: number; version: number } | undefined>;
  /** BACKWARD, FORWARD, FULL, each also with _TRANSITIVE, or NONE: as it is in force for the subject. */
  compatibility(subject: string): Promise<string>;
  /** Whether a schema could be registered, and what the registry says when not. @throws Failure invalid_input: it is no schema */
  check(subject: string, schema: string): Promise<{ compatible: boolean; messages: readonly string[] }>;
  /** @throws Failure incompatible_schema; invalid_input: it is no schema */
  register(subject: string, schema: string): Promise<number>;
}

export interface SchemaTools {
  readonly registry: SchemaRegistry;
  /** @param name of the schema, for the message @throws Failure invalid_input: it is no Avro schema */
  validate(schema: string, name: string): void;
  /** Why values of `writer` cannot be read by `reader`; empty when they can. */
  differences(reader: string, writer: string): readonly SchemaDifference[];
}
