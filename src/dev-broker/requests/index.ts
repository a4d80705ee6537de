import { apiVersions } from './18-api-versions.ts';
import type { AnyApi } from './api.ts';

/** All that this broker answers; what is told to clients by ApiVersions is made from this table. */
const ALL: readonly AnyApi[] = [apiVersions(() => ALL)];

export const APIS: ReadonlyMap<number, AnyApi> = new Map(ALL.map((api) => [api.key, api]));
