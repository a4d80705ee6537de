import type { BrokerRecord } from './broker.ts';

/** The value of a field or an array item, as it was read. */
export interface InspectedField {
  /** `items[0].quantity`; empty for a value that is not a record. */
  readonly path: string;
  /** Avro's name of the type. */
  readonly type: string;
  /** Shortened if it is long. */
  readonly value: string;
  /** Offset of its first byte in the value. */
  readonly position: number;
}

export interface Inspection {
  /** `none`: there is no value; `unknown`: neither JSON nor Avro with a schema id. */
  readonly format: 'none' | 'json' | 'avro' | 'unknown';
  readonly schemaId: number | null;
  /** The GUID of the schema, if a header has it. */
  readonly schemaGuid: string | null;
  /** The fields that could be read, in order; at most a few hundred. */
  readonly fields: readonly InspectedField[];
  /** Whether there are more fields than `fields` has. */
  readonly isCut: boolean;
  /** What is wrong, and the byte at which it was detected. */
  readonly error: { readonly position: number; readonly message: string } | null;
}

export interface ValueInspector {
  /**
   * Decodes a value as far as possible. Total: any bytes give a result of bounded size and cost.
   *
   * @throws Failure registry_unreachable, registry_refused
   */
  inspect(record: Pick<BrokerRecord, 'value' | 'headers'>): Promise<Inspection>;
}
