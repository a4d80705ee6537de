import type { ProcessorName } from './messages/message.ts';
import type { UserStatus } from './tables.ts';

/**
 * The fix for a failure. A text is the same for the command line and the HTTP API; an object stands for a command or a
 * setting, which each of them expresses in its own words.
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

/** Several fixes, one after the other. */
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
  /** Two folders have the same id: use only one of them, or give each its own. */
  | { readonly kind: 'choose_copy' }
  /** Where the numbers of commits are shown. */
  | { readonly kind: 'commit_numbers' }
  /** The command that does what took a server too long. */
  | { readonly kind: 'run_command'; readonly command: string }
  | { readonly kind: 'begin_storage' | 'writable_folder' | 'carry_over' }
  | { readonly kind: 'migrate_store' | 'finish_replacing' | 'finish_orders' }
  | { readonly kind: 'lasting_disk'; readonly medium: 'container' | 'memory' | 'remote' }
  /** The store is in a PostgreSQL whose data is in this folder. */
  | { readonly kind: 'in_database'; readonly folder: string }
  /** `user`: the number of the user that owns the folder. */
  | { readonly kind: 'as_owner'; readonly user: number }
  /** `fill_or_reject`: add some, or continue and reject every order. */
  | { readonly kind: 'add_first' | 'fill_or_reject'; readonly table: 'users' | 'items' }
  | { readonly kind: 'name_columns'; readonly columns: readonly string[] }
  | { readonly kind: 'check_database' | 'other_database' | 'database_credentials' }
  | { readonly kind: 'name_archives' | 'other_archives' }
  | { readonly kind: 'stop_owner' | 'end_owner' }
  /** The owner does not answer. `pid` is null if it is unknown. */
  | { readonly kind: 'wake_owner'; readonly pid: number | null };

type OrderAdvice =
  | { readonly kind: 'list_orders' }
  | { readonly kind: 'show_order' | 'cancel_order'; readonly orderId: string }
  | {
      readonly kind: 'check_order';
      /** Whether it can be cancelled before it arrives. */
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
  /** The topic is not the one that this folder has read: the cluster is another one, or the topic was recreated. */
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

/** Absent: the reader is `orders`, or unknown. */
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
  /** `by`: the id of the accepted attempt; null: the failure's message names it already, or it is the order itself. */
  | {
      readonly kind: 'order_again';
      readonly orderId: string;
      readonly rejected: boolean;
      readonly by: string | null;
    };

export interface ProduceAgain {
  readonly kind: 'produce_again';
  /** Some orders may be stored already, so they must be sent again under the same ids. */
  readonly inDoubt: boolean;
  /** The flag to resume with: from a number, under the same ids; the remaining count of new orders; or the one order. */
  readonly resume: 'from' | 'from_line' | 'count' | 'order_id';
  /** The number of the first order that is not known to be sent; null: none was sent. */
  readonly next: number | null;
  readonly unknown: number;
  readonly rest: number;
  readonly orderId: string;
}

export interface ReplayAgain {
  readonly kind: 'replay_again';
  readonly inDoubt: boolean;
  /** The id of the last order that was sent. */
  readonly after: string | null;
  readonly limit: number | null;
}

export interface EventsAgain {
  readonly kind: 'events_again';
  /** How to send the events again: all of them with the same seed, or each with its id. */
  readonly by: 'seed' | 'event_id';
  /** The id of the first event in doubt. */
  readonly eventId: string;
}

/** Advice that the command line and the HTTP API each put into words. */
export type TypedAdvice = Exclude<Advice, string>;
