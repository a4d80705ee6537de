import { DECISIONS } from '../ids/indexed-logs.ts';
import type { OwnedIndex } from '../ids/owned-index.ts';
import { factLogName } from '../layout.ts';
import type { Logs } from '../logs/logs.ts';
import type { OwnedOutbox } from '../outbox/owned-outbox.ts';
import type { Tables } from '../tables/tables.ts';
import { entryOf, type Commit } from './commit.ts';
import { joined, type JournalEntry } from './entry.ts';

/**
 * Commits that share a journal record: each is part of the state on which the next one is decided, and none is durable
 * yet. Their messages and their lines for the logs wait for the record.
 */
export class Staging {
  readonly #tables: Tables;
  readonly #logs: Logs;
  readonly #index: OwnedIndex;
  #entries: JournalEntry[] = [];
  readonly #outbox: OwnedOutbox;
  #isOwed = false;

  constructor(tables: Tables, logs: Logs, index: OwnedIndex, outbox: OwnedOutbox) {
    this.#tables = tables;
    this.#logs = logs;
    this.#index = index;
    this.#outbox = outbox;
  }

  /** @param seq the last transaction before it @returns the last transaction after it */
  stage(commit: Commit, seq: number): number {
    const leaving = this.#outbox.stage(commit.outgoing ?? []);
    const entry = entryOf(commit, leaving, (log) => this.#logs.sizeOf(log), seq);
    for (const line of commit.lines) {
      this.#tables.apply(line);
      this.#isOwed ||= line[0] === 'effect' && line[2]?.state === 'due';
    }
    this.#isOwed ||= leaving.length > 0;
    if (commit.sales !== undefined) this.#tables.applySales(commit.sales);
    for (const { name, number } of DECISIONS) {
      const lines = commit[name];
      if (lines !== undefined) this.#index.add(number, lines, this.#logs.sizeOf(name));
    }
    for (const lines of commit.facts ?? []) {
      const number = this.#tables.facts.get(lines.name)?.number ?? NaN;
      this.#index.addFacts(number, lines, this.#logs.sizeOf(factLogName(lines.name)));
    }
    for (const { log, parts } of entry.logs) this.#logs.stage(log, parts);
    this.#entries.push(entry);
    return entry.seq;
  }

  /** null: nothing is staged. */
  get entry(): JournalEntry | null {
    return this.#entries.length === 0 ? null : joined(this.#entries);
  }

  /** Moves what a folder of an earlier format has yet to send into segments; durable with the next checkpoint. */
  takeFormer(seq: number): void {
    const { queues } = this.#tables;
    const outgoing = queues.former();
    if (outgoing.length === 0) return;
    this.stage({ lines: [], outgoing }, seq);
    queues.forgetFormer();
    this.land();
  }

  /** Call this when the record is durable. @returns whether new messages or effects are pending */
  land(): boolean {
    this.#entries = [];
    this.#logs.write();
    this.#outbox.land();
    const isOwed = this.#isOwed;
    this.#isOwed = false;
    return isOwed;
  }
}
