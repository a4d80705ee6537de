import type { ProcessorName } from './messages/message.ts';
import type { UserStatus } from './tables.ts';

/**
 * The way out of a failure. A text says what any face of the program can say; where the way out is a command or a
 * setting, a value says which, and the face puts it into its own words.
 */
export type Advice =
  | string
  | StockAdvice
  | StoreAdvice
  | OrderAdvice
  | DeadLetterAdvice
  | KafkaAdvice
  | RegistryAdvice
  | SendAdvice
  | Together;

/** One after the other. */
interface Together {
  readonly kind: 'in_turn';
  readonly steps: readonly Advice[];
}

type StockAdvice =
  | { readonly kind: 'show_users' | 'show_items' | 'show_suppliers' }
  | { readonly kind: 'change_supplier'; readonly supplier: string }
  | { readonly kind: 'show_edits'; readonly table: 'users' | 'inventory' }
  | { readonly kind: 'undo_edit'; readonly table: 'users' | 'inventory'; readonly number: number }
  | { readonly kind: 'add_user' | 'change_user'; readonly user: string; readonly status: UserStatus }
  | { readonly kind: 'add_item' | 'add_stock'; readonly item: string; readonly quantity: number }
  | { readonly kind: 'set_price'; readonly item: string }
  | { readonly kind: 'take_less'; readonly item: string; readonly most: number };

type StoreAdvice =
  /** Two folders have one id: use one of them, or give each its own. */
  | { readonly kind: 'choose_copy' }
  | { readonly kind: 'begin_storage' | 'writable_folder' | 'carry_over' }
  | { readonly kind: 'migrate_store' | 'finish_replacing' | 'finish_orders' }
  | { readonly kind: 'lasting_disk'; readonly medium: 'container' | 'memory' | 'remote' }
  /** The shop of this folder is on a PostgreSQL in it. */
  | { readonly kind: 'in_database'; readonly folder: string }
  /** By the number of the user. */
  | { readonly kind: 'as_owner'; readonly user: number }
  /** `fill_or_reject`: or go on and have every order rejected. */
  | { readonly kind: 'add_first' | 'fill_or_reject'; readonly table: 'users' | 'items' }
  | { readonly kind: 'name_columns'; readonly columns: readonly string[] }
  | { readonly kind: 'check_database' | 'other_database' | 'database_credentials' }
  | { readonly kind: 'name_archives' | 'other_archives' }
  | { readonly kind: 'stop_owner' | 'end_owner' }
  /** It does not answer. */
  | { readonly kind: 'wake_owner'; readonly pid: number | null };

type OrderAdvice =
  | { readonly kind: 'show_order' | 'cancel_order'; readonly orderId: string }
  | {
      readonly kind: 'check_order';
      /** Whether it may be cancelled before it comes. */
      readonly canCancelAhead: boolean;
    };

type DeadLetterAdvice =
  | { readonly kind: 'dead_letter_ids' | 'list_dead_letters' | 'other_dlq_topic' }
  | { readonly kind: 'used_dlq_topic'; readonly again: ReadAgain }
  | { readonly kind: 'list_dead_letters_of'; readonly processor: ProcessorName }
  | { readonly kind: 'make_to_topic' | 'send_to_topic' }
  | { readonly kind: 'allow_redrives'; readonly count: number };

type KafkaAdvice =
  | { readonly kind: 'check_brokers' | 'check_acls' | 'no_credentials' | 'check_credentials' | 'check_tls' }
  | { readonly kind: 'other_topic' | 'create_topic' | 'show_topics' | 'apply_topics' }
  | { readonly kind: 'make_topic'; readonly topic: string }
  | { readonly kind: 'own_group' | 'own_group_or_adopt' }
  | { readonly kind: 'show_offsets' | 'offsets_file' }
  | { readonly kind: 'show_offsets_of' | 'apply_topics_of'; readonly processor: ProcessorName }
  /** A topic is not what this folder has read: it is another cluster, or the topic was created again. */
  | { readonly kind: 'topic_made_again' }
  | ({ readonly kind: 'other_cluster' | 'topic_changed' } & OfReader)
  | ({ readonly kind: 'offsets_gone'; readonly partition: number } & OfReader)
  | ReadAgain
  | ({ readonly kind: 'skip_batch'; readonly partition: number; readonly next: number } & OfReader);

interface ReadAgain {
  readonly kind: 'read_again';
  readonly processor: ProcessorName;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** Absent: `orders` has read it, or it is not known which processor has. */
interface OfReader {
  readonly reader?: { readonly processor: ProcessorName; readonly topic: string };
}

interface RegistryAdvice {
  readonly kind:
    'check_schema' | 'register_schema' | 'other_registry' | 'registry_address' | 'registry_credentials';
}

type SendAdvice =
  | ProduceAgain
  | ReplayAgain
  | EventsAgain
  | { readonly kind: 'as_new' | 'not_rejected' | 'resume_after_id' }
  | { readonly kind: 'try_again'; readonly orderId: string }
  /** `by`: the id of the try that was accepted. */
  | {
      readonly kind: 'order_again';
      readonly orderId: string;
      readonly rejected: boolean;
      readonly by: string | null;
    };

export interface ProduceAgain {
  readonly kind: 'produce_again';
  /** Some may be stored: they are sent again under the same ids. */
  readonly inDoubt: boolean;
  /** From a number, under the same ids; with other orders, as many as are left; or with the same one order. */
  readonly resume: 'from' | 'from_line' | 'count' | 'order_id';
  /** The first that is not known to be sent; null: none was. */
  readonly next: number | null;
  readonly unknown: number;
  readonly rest: number;
  readonly orderId: string;
}

export interface ReplayAgain {
  readonly kind: 'replay_again';
  readonly inDoubt: boolean;
  /** The last that was sent. */
  readonly after: string | null;
  readonly limit: number | null;
}

export interface EventsAgain {
  readonly kind: 'events_again';
  /** All of them by the seed that they were made with, or each by its id. */
  readonly by: 'seed' | 'event_id';
  /** The first that is in doubt. */
  readonly eventId: string;
}

/** Advice that a face puts into words. */
export type TypedAdvice = Exclude<Advice, string>;
