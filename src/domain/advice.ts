import type { UserStatus } from './tables.ts';

/**
 * The way out of a failure. A text says what any face of the program can say; where the way out is a command or a
 * setting, a value says which, and the face puts it into its own words.
 */
export type Advice = string | StockAdvice | FolderAdvice | LetterAdvice | Together;

/** One after the other. */
interface Together {
  readonly kind: 'in_turn';
  readonly steps: readonly Advice[];
}

type StockAdvice =
  | { readonly kind: 'show_users' | 'show_items' }
  | { readonly kind: 'add_user' | 'change_user'; readonly user: string; readonly status: UserStatus }
  | { readonly kind: 'add_item' | 'add_stock'; readonly item: string; readonly quantity: number }
  | { readonly kind: 'take_less'; readonly item: string; readonly most: number };

/** Two folders have one id: go on with one of them, or with both apart. */
interface FolderAdvice {
  readonly kind: 'choose_copy';
}

interface LetterAdvice {
  readonly kind: 'letter_ids';
}

/** An advice that a face puts into words. */
export type TypedAdvice = Exclude<Advice, string>;
