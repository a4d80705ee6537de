import { Type } from 'typebox';
import { Count, nullable, object, type Document } from '../shapes.ts';

const DETAILS = { name: nullable(Type.String()), contact: nullable(Type.String()) };

/** The output of `supplier show`. */
export const SupplierList = object({
  suppliers: Type.Array(object({ supplier_id: Type.String(), ...DETAILS })),
});
export type SupplierList = Document<typeof SupplierList>;

const Side = nullable(object(DETAILS), 'null: the supplier does not exist');

/** An edit of a supplier. */
export const SupplierEdit = object({ supplier_id: Type.String(), before: Side, after: Side });
export type SupplierEdit = Document<typeof SupplierEdit>;

/** The result of `supplier import`, also of a dry run. */
export const SupplierImport = object({
  added: Count,
  changed: Count,
  unchanged: Count,
  dry_run: Type.Boolean(),
});
export type SupplierImport = Document<typeof SupplierImport>;
