import avsc from 'avsc';

/** A value in the Confluent wire format, as another program's serializer makes it. */
export function framed(schemaId: number, ...payload: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, ...payload]);
}

/** @param schema of which the library takes the names */
export function avroBytes(schema: unknown, value: unknown): Buffer {
  return avsc.Type.forSchema(schema as avsc.Schema).toBuffer(value);
}

export function field(name: string, type: unknown, rest: object = {}): object {
  return { name, type, ...rest };
}

export function recordSchema(name: string, ...fields: object[]): Record<string, unknown> {
  return { type: 'record', name, fields };
}
