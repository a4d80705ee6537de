import { HourlySales, TopProducts } from '../reports/analytics.ts';
import { object, Time, type Document } from '../shapes.ts';

/** What `analytics show` and `analytics top` print, and as of when. */
export const DatedHourlySales = object({ as_of: Time, ...HourlySales.properties });
export type DatedHourlySales = Document<typeof DatedHourlySales>;

export const DatedTopProducts = object({ as_of: Time, ...TopProducts.properties });
export type DatedTopProducts = Document<typeof DatedTopProducts>;
