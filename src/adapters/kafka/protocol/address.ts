import { Failure } from '../../../domain/failure.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`. */
export function nameOf({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** `host:port`, `[::1]:port`; the port defaults to 9092. @throws Failure invalid_value */
export function parseAddress(text: string): Address {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 9092);
  if (host === undefined || port < 1 || port > 65535) {
    throw new Failure('invalid_value', `broker address ${JSON.stringify(text)} is not HOST:PORT`, {
      fix: 'write it like 127.0.0.1:9092',
    });
  }
  return { host, port };
}
