export interface SchemaVersion {
  readonly version: number;
  readonly id: number;
  readonly schema: string;
}

/** A difference that makes two schemas incompatible. */
export interface SchemaDifference {
  /** The field in the checked schema: `items[].quantity`; empty for the schema as a whole. */
  readonly field: string;
  readonly reason: string;
}

/**
 * Schemas by subject. Every method @throws Failure registry_unreachable (no answer, overloaded or failing: retry),
 * registry_refused (wrong credentials, or the answer is not from a registry).
 */
export interface SchemaRegistry {
  /** In ascending order; empty if the subject does not exist. */
  versions(subject: string): Promise<readonly number[]>;
  version(subject: string, version: number): Promise<SchemaVersion | undefined>;
  /** The version and id of a registered schema, or undefined if it is not registered. */
  find(subject: string, schema: string): Promise<{ id: number; version: number } | undefined>;
  /** The level in force for a subject: BACKWARD, FORWARD, FULL, each also with _TRANSITIVE, or NONE. */
  compatibility(subject: string): Promise<string>;
  /**
   * Whether a schema could be registered, else with the registry's messages.
   *
   * @throws Failure invalid_input: not a schema
   */
  check(subject: string, schema: string): Promise<{ compatible: boolean; messages: readonly string[] }>;
  /** @returns the id @throws Failure incompatible_schema, invalid_input (not a schema) */
  register(subject: string, schema: string): Promise<number>;
}

export interface SchemaTools {
  readonly registry: SchemaRegistry;
  /** @param name the name of the schema in messages @throws Failure invalid_input: not an Avro schema */
  validate(schema: string, name: string): void;
  /** Why values written with `writer` cannot be read with `reader`; empty if they can. */
  differences(reader: string, writer: string): readonly SchemaDifference[];
}
