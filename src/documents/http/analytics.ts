import { HourlySales, TopProducts } from '../reports/analytics.ts';
import { DailyReport } from '../reports/daily.ts';
import { object, Time, type Document } from '../shapes.ts';

/* The documents of `analytics show`, `analytics top` and `report show`, with the time of their data. */
export const DatedHourlySales = object({ as_of: Time, ...HourlySales.properties });
export type DatedHourlySales = Document<typeof DatedHourlySales>;

export const DatedTopProducts = object({ as_of: Time, ...TopProducts.properties });
export type DatedTopProducts = Document<typeof DatedTopProducts>;

export const DatedDailyReport = object({ as_of: Time, ...DailyReport.properties });
export type DatedDailyReport = Document<typeof DatedDailyReport>;
