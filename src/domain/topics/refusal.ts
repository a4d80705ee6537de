/** Why a message that was read cannot be applied, for the header `x-error-code`. */
export const REFUSAL_CODES = ['invalid_quantity', 'unknown_product'] as const;

export type RefusalCode = (typeof REFUSAL_CODES)[number] | 'invalid_field';
