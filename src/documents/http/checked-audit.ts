import { Audit } from '../audit.ts';
import { object, Time, type Document } from '../shapes.ts';

/** The document of `audit`, with the time at which it ran. */
export const CheckedAudit = object({ checked_at: Time, ...Audit.properties });
export type CheckedAudit = Document<typeof CheckedAudit>;
