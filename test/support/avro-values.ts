import avsc from 'avsc';

/** A value in the Confluent wire format, as serialized by another program. */
export function framed(schemaId: number, ...payload: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, ...payload]);
}

/** @param schema whose names the library uses */
export function avroBytes(schema: unknown, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value);
}

export function field(name: string, type: unknown, rest: object = {}): object {
  return { name, type, ...rest };
}

export function recordSchema(name: string, ...fields: object[]): Record<string, unknown> {
  return { type: 'record', name, fields };
}
