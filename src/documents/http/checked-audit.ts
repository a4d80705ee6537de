import { Audit } from '../audit.ts';
import { object, Time, type Document } from '../shapes.ts';

/** What `audit` prints, and as of when. */
export const CheckedAudit = object({ checked_at: Time, ...Audit.properties });
export type CheckedAudit = Document<typeof CheckedAudit>;
