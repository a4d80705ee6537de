import { DECISIONS } from '../ids/indexed-logs.ts';
import type { OwnedIndex } from '../ids/owned-index.ts';
import { factLogName } from '../layout.ts';
import type { Logs } from '../logs/logs.ts';
import type { StateLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';
import { entryOf, type Commit } from './commit.ts';
import { joined, type JournalEntry } from './entry.ts';

/**
 * Commits that share a record of the journal: each is part of the state that the next one is decided on, and none is
 * durable yet. What they leave to be sent, and their lines for the logs, wait for the record.
 */
export class Staging {
  readonly #tables: Tables;
  readonly #logs: Logs;
  readonly #index: OwnedIndex;
  #entries: JournalEntry[] = [];
  readonly #leaving: StateLine[] = [];
  #isOwed = false;

  constructor(tables: Tables, logs: Logs, index: OwnedIndex) {
    this.#tables = tables;
    this.#logs = logs;
    this.#index = index;
  }

  /** @param seq of the last transaction before it @returns that after it */
  stage(commit: Commit, seq: number): number {
    const entry = entryOf(commit, (log) => this.#logs.sizeOf(log), seq);
    for (const line of commit.lines) {
      if (line[0] === 'outgoing') this.#leaving.push(line);
      else this.#tables.apply(line);
      this.#isOwed ||= line[0] === 'outgoing' || (line[0] === 'effect' && line[2]?.state === 'due');
    }
    if (commit.sales !== undefined) this.#tables.applySales(commit.sales);
    for (const { name, number } of DECISIONS) {
      const lines = commit[name];
      if (lines !== undefined) this.#index.add(number, lines, this.#logs.sizeOf(name));
    }
    for (const lines of commit.facts ?? []) {
      const number = this.#tables.facts.get(lines.name)?.number ?? NaN;
      this.#index.add(number, lines, this.#logs.sizeOf(factLogName(lines.name)));
    }
    for (const { log, parts } of entry.logs) this.#logs.stage(log, parts);
    this.#entries.push(entry);
    return entry.seq;
  }

  /** null: nothing is staged. */
  get entry(): JournalEntry | null {
    return this.#entries.length === 0 ? null : joined(this.#entries);
  }

  /** To be called when the record is durable. @returns whether something is owed that was not before */
  land(): boolean {
    this.#entries = [];
    this.#logs.write();
    for (const line of this.#leaving.splice(0)) this.#tables.apply(line);
    const isOwed = this.#isOwed;
    this.#isOwed = false;
    return isOwed;
  }
}
