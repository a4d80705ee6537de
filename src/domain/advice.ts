import type { UserStatus } from './tables.ts';

/**
 * The way out of a failure. A text says what any face of the program can say; where the way out is a command or a
 * setting, a value says which, and the face puts it into its own words.
 */
export type Advice =
  string | StockAdvice | FolderAdvice | LetterAdvice | KafkaAdvice | RegistryAdvice | Together;

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

type FolderAdvice =
  /** Two folders have one id: go on with one of them, or with both apart. */
  | { readonly kind: 'choose_copy' }
  | { readonly kind: 'begin_storage' | 'writable_folder' | 'carry_over' }
  /** `fill_or_reject`: or go on and have every order rejected. */
  | { readonly kind: 'add_first' | 'fill_or_reject'; readonly table: 'users' | 'items' }
  | { readonly kind: 'stop_owner' | 'end_owner' }
  /** It does not answer. */
  | { readonly kind: 'wake_owner'; readonly pid: number | null };

interface LetterAdvice {
  readonly kind: 'letter_ids' | 'list_letters' | 'other_dlq_topic' | 'used_dlq_topic';
}

type KafkaAdvice =
  | { readonly kind: 'check_brokers' | 'no_credentials' | 'check_credentials' | 'check_tls' }
  | { readonly kind: 'other_topic' | 'create_topic' | 'show_topics' | 'apply_topics' }
  | { readonly kind: 'own_group' | 'own_group_or_adopt' }
  | { readonly kind: 'show_offsets' | 'offsets_file' }
  /** A topic is not what this folder has read: it is another cluster, or the topic was created again. */
  | { readonly kind: 'other_cluster' | 'topic_changed' | 'topic_made_again' }
  | { readonly kind: 'offsets_gone'; readonly partition: number }
  | { readonly kind: 'read_again'; readonly partition: number; readonly offset: number }
  | { readonly kind: 'skip_batch'; readonly partition: number; readonly next: number };

interface RegistryAdvice {
  readonly kind:
    'check_schema' | 'register_schema' | 'other_registry' | 'registry_address' | 'registry_credentials';
}

/** An advice that a face puts into words. */
export type TypedAdvice = Exclude<Advice, string>;
