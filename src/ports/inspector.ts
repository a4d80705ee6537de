import type { BrokerRecord } from './broker.ts';

/** A value of a field or an item, as it was read. */
export interface InspectedField {
  /** `items[0].quantity`; empty for a value that is no record. */
  readonly path: string;
  /** Avro's name of the type. */
  readonly type: string;
  /** Shortened when it is long. */
  readonly value: string;
  /** Offset of its first byte in the value. */
  readonly position: number;
}

export interface Inspection {
  /** `none`: there is no value; `unknown`: neither JSON nor Avro with a schema id. */
  readonly format: 'none' | 'json' | 'avro' | 'unknown';
  readonly schemaId: number | null;
  /** Where a header names the schema by its GUID. */
  readonly schemaGuid: string | null;
  /** As far as they could be read, in their order; the first few hundred. */
  readonly fields: readonly InspectedField[];
  /** There were more than `fields` holds. */
  readonly isCut: boolean;
  /** What is wrong, and the byte at which it was noticed. */
  readonly error: { readonly position: number; readonly message: string } | null;
}

export interface ValueInspector {
  /**
   * Decodes a value as far as possible. Total: for any bytes, a result of bounded size and cost.
   *
   * @throws Failure registry_unreachable, registry_refused
   */
  inspect(record: Pick<BrokerRecord, 'value' | 'headers'>): Promise<Inspection>;
}
