import { COMMANDS } from './commands.ts';
import { READING } from './reading.ts';
import { EVENTS } from './events.ts';
import { SENDING } from './sending.ts';
import { USE_CASES } from './use-cases.ts';

/** A change of the source that breaks a promise. */
export interface Mutation {
  /** What is broken. */
  readonly name: string;
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly from: string;
  readonly to: string;
  /** Of which one must fail. */
  readonly tests: readonly string[];
}

const SIMULATION = ['test/crash/simulation.test.ts'];
const FUZZ = ['test/fuzz/fuzz.test.ts'];
const files = (name: string): string => `src/adapters/files/${name}`;

export const MUTATIONS: readonly Mutation[] = [
  ...READING,
  ...EVENTS,
  ...SENDING,
  {
    name: 'a commit is not synced',
    file: files('journal.ts'),
    from: '    await this.#files.datasync(this.#fd);\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'a sync that failed is tried again',
    file: files('journal.ts'),
    from: 'await this.#files.datasync(this.#fd);',
    to: 'await this.#files.datasync(this.#fd).catch(() => this.#files.datasync(this.#fd));',
    tests: ['test/crash/store-faults.test.ts'],
  },
  {
    name: 'the name of a new journal is not synced',
    file: files('ledger-files.ts'),
    from: '    await files.syncDirectory(inner);\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'the name of a fresh folder is not synced',
    file: files('ledger.ts'),
    from: '        await syncNameOf(files, folder);\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'a checkpoint does not sync the logs',
    file: files('ledger.ts'),
    from: '    for (const log of LOG_NAMES) await this.#logs[log].sync();\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'a member with the id of this folder is removed though it may live',
    file: 'src/app/clear-group.ts',
    from: "process !== null && processes.stateOf(process) === 'dead';",
    to: "process === null || processes.stateOf(process) !== 'unknown';",
    tests: ['test/app/clear-group.test.ts'],
  },
  {
    name: 'a copy of the folder joins beside the other one',
    file: 'src/app/clear-group.ts',
    from: 'throw copyInUse(group, other.host);',
    to: 'return;',
    tests: ['test/app/clear-group.test.ts'],
  },
  {
    name: 'members of the new group protocol do not count',
    file: 'src/adapters/kafka/groups.ts',
    from: 'return describeNewGroup(node, group);',
    to: 'return { state: NO_GROUP, members: [] };',
    tests: ['test/unit/kafka/consumer-groups.test.ts'],
  },
  {
    name: 'positions are reset while the group has members',
    file: 'src/app/reset-offsets.ts',
    from: '  await clearGroup(admin, { store, processes: access.processes, clock }, options, options.on);\n',
    to: '',
    tests: ['test/app/offsets.test.ts'],
  },
  {
    name: 'the way back is kept after the move',
    file: 'src/app/reset-offsets.ts',
    from:
      '  const undoFile = await keepUndo(store, plan, options.topic, clock);\n' +
      '  await storeMoves(store, options.topic, plan.clusterId, plan.moves);\n',
    to:
      '  await storeMoves(store, options.topic, plan.clusterId, plan.moves);\n' +
      '  const undoFile = await keepUndo(store, plan, options.topic, clock);\n',
    tests: ['test/app/offsets.test.ts'],
  },
  {
    name: 'orders are decided without users or items',
    file: 'src/app/consume-orders.ts',
    from: 'if (!allowsEmpty) throw nothingToDecideOn(table, access.folder);',
    to: '',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'a folder that is none looks healthy',
    file: files('snapshot.ts'),
    from: 'if (!isStorage(files, folder)) throw noStorage(folder);',
    to: '',
    tests: ['test/unit/files/audit.test.ts'],
  },
  {
    name: 'a consumer whose brokers are silent says that it consumes',
    file: 'src/adapters/kafka/watch.ts',
    from: 'const isSilent = forMs >= SILENT_FROM_MS;',
    to: 'const isSilent = forMs >= REPORT_EVERY_MS;',
    tests: ['test/unit/kafka/group.test.ts'],
  },
  {
    name: 'one record that a topic does not take stops all',
    file: 'src/adapters/kafka/producer.ts',
    from: 'new Set([32, 43, 87])',
    to: 'new Set([32, 43])',
    tests: ['test/unit/kafka/producer.test.ts'],
  },
  {
    name: 'what a checkpoint replaced is removed before its own name is synced',
    file: files('checkpoint.ts'),
    from: '  files.rename(temporary, name);\n  await files.syncDirectory(inner);\n',
    to: '  files.rename(temporary, name);\n',
    tests: SIMULATION,
  },
  {
    name: 'recovery builds on a journal that it has not synced',
    file: files('ledger.ts'),
    from: '        for (const fd of loaded.journalFds) await files.datasync(fd);\n',
    to: '',
    tests: ['test/crash/store-crash.test.ts', ...SIMULATION],
  },
  {
    name: 'recovery does not write the logs again',
    file: files('recover.ts'),
    from: '    if (tail.length === 0) continue;\n',
    to: '    if (tail.length >= 0) continue;\n',
    tests: SIMULATION,
  },
  {
    name: 'the journal is read without its checksums',
    file: files('journal.ts'),
    from: ' || crc32(found) !== header.payloadCrc) break;',
    to: ') break;',
    tests: [...SIMULATION, ...FUZZ],
  },
  {
    name: 'a log that is longer than the journal says is accepted',
    file: files('recover.ts'),
    from: '    if (sizeBytes > end) throw beyondJournal(name, sizeBytes, end);\n',
    to: '',
    tests: FUZZ,
  },
  {
    name: 'a reader accepts it',
    file: files('snapshot.ts'),
    from: '    checkAgainstJournal(this.#files, folder, this.loaded, log, sizeBytes);\n',
    to: '',
    tests: FUZZ,
  },
  {
    name: 'the snapshot of the tables is read without its checksum',
    file: files('checkpoint.ts'),
    from: 'if (found !== crc || ',
    to: 'if (',
    tests: FUZZ,
  },
  {
    name: 'decided ids are not put into the index',
    file: files('ledger.ts'),
    from: "    for (const log of ['orders', 'rejections'] as const) this.#addIds(log, commit[log]);\n",
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'an owner does not see that another one has written',
    file: files('ledger.ts'),
    from: 'if (this.#journal.isOurs()) return;',
    to: 'if (this.#journal.isOurs() || this.folderId !== "") return;',
    tests: SIMULATION,
  },
  {
    name: 'a second owner is let in',
    file: files('owner.ts'),
    from: '        throw inUse(folder, found.hello, true);\n',
    to: '        return number;\n',
    tests: ['test/unit/files/owner.test.ts'],
  },
  {
    name: 'dead letters count as sent before they are',
    file: files('file-store.ts'),
    from: '      const refused = await send(records);\n      await this.#exclusive(async () => {\n',
    to: "      await this.#exclusive(() => this.#ledger.commit({ lines: [['sent', last.number]] }));\n      const refused = await send(records);\n      await this.#exclusive(async () => {\n",
    tests: SIMULATION,
  },
  {
    name: 'what the broker refuses is not kept',
    file: files('file-store.ts'),
    from: '        await keepUndelivered(this.#options.files, this.#options.folder, refused);\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'a CSV is put in place before its version is written down',
    file: files('csv-file.ts'),
    from: '        await ledger.commit({ lines, logs: { [name]: version } });\n',
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'a CSV is replaced without a look at what was moved aside',
    file: files('csv-file.ts'),
    from: '      if (!sameStat(this.#seen, files.stat(this.#aside))) {\n',
    to: '      if (this.#path === "") {\n',
    tests: SIMULATION,
  },
  {
    name: 'a hand edit that is put back is not synced',
    file: files('csv-file.ts'),
    from: "      // As in setting aside: it may be a person's work.\n      await files.syncDirectory(folder);\n",
    to: '',
    tests: SIMULATION,
  },
  {
    name: 'the version that a hand edit was made from is ignored',
    file: files('hand-edits.ts'),
    from: 'if (changed < fewest && ',
    to: 'if (at === 0 && ',
    tests: SIMULATION,
  },
  {
    name: 'a version of which too little is kept is taken for an edit',
    file: files('hand-edit-look.ts'),
    from: 'if (table.older.some(',
    to: 'if ([].some(',
    tests: ['test/unit/files/csv-versions.test.ts'],
  },
  {
    name: 'what is being written down changes with the table',
    file: files('rows.ts'),
    from: '      values: values.slice(0, names.length),\n',
    to: '      values,\n',
    tests: ['test/unit/files/table.test.ts'],
  },
  {
    name: 'a hand edit takes stock below zero',
    file: files('hand-edits.ts'),
    from: '  if (wanted >= 0) return',
    to: '  if (wanted >= -Infinity) return',
    tests: ['test/unit/files/hand-edits.test.ts'],
  },
  {
    name: 'a stranger in the place of a CSV is taken for an edit',
    file: files('hand-edits.ts'),
    from: '  return shared * 2 >= Math.min(versionRows, fileRows);\n',
    to: '  return shared >= 0;\n',
    tests: SIMULATION,
  },
  {
    name: 'the position is not compared in the transaction',
    file: 'src/app/process-batch.ts',
    from: '      if (inForce !== expected)\n',
    to: '      if (inForce !== expected && records.length < 0)\n',
    tests: SIMULATION,
  },
  {
    name: 'a dead letter is sent before it is in the journal',
    file: 'src/app/process-batch.ts',
    from: '    const last = records.length === 0 ? null : batch.fingerprint(from + records.length - 1);\n',
    to: `    const last = records.length === 0 ? null : batch.fingerprint(from + records.length - 1);
    this.#producer ??= await this.#parts.broker.producer();
    const { topic, partition } = batch;
    const context = { dlqTopic: options.dlqTopic, group: options.group, failedAt: 0 };
    const early = records.flatMap((record, index) => {
      const why = decoded[index];
      if (why?.kind !== 'dead_letter') return [];
      return [deadLetter(record, { topic, partition, offset: record.offset }, why, context)];
    });
    await sendOutgoing(this.#producer, early);
`,
    tests: SIMULATION,
  },
  {
    name: 'offsets are committed to Kafka before the journal',
    file: 'src/adapters/kafka/consumer.ts',
    from: '    this.#fetcher.hold(partition);\n',
    to: '    this.#fetcher.hold(partition);\n    this.#commits.add(partition, next);\n',
    tests: ['test/unit/kafka/delivery.test.ts'],
  },
  {
    name: 'the fingerprint of the record before the position is not compared',
    file: 'src/adapters/kafka/positions.ts',
    from: 'if (now === undefined || sameFingerprint(now, last)) continue;',
    to: 'if (now === undefined || sameFingerprint(last, last)) continue;',
    tests: ['test/unit/kafka/positions.test.ts'],
  },
  {
    name: "another folder's mark on the group is ignored",
    file: 'src/app/plan-positions.ts',
    from: 'if (foreign && !input.adopt) throw',
    to: 'if (foreign && input.topic === "") throw',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'records that were only told to come are taken for those that came',
    file: 'src/app/process-batch.ts',
    from: 'expected?.records === records ? expected.decoded',
    to: 'expected !== undefined ? expected.decoded',
    tests: ['test/app/consume-orders.test.ts'],
  },
  {
    name: 'a duplicate in one batch is decided again',
    file: 'src/domain/decide.ts',
    from: 'const first = decidedHere.get(orderId) ?? state.decided(orderId);',
    to: 'const first = state.decided(orderId);',
    tests: ['test/unit/domain/decide.test.ts', ...SIMULATION],
  },
  {
    name: 'orders of one batch do not see what the others took',
    file: 'src/domain/decide.ts',
    from: 'quantity: (item) => quantities.get(item) ?? state.quantity(item),',
    to: 'quantity: (item) => state.quantity(item),',
    tests: ['test/unit/domain/decide.test.ts', ...SIMULATION],
  },
  {
    name: 'an order is accepted in part',
    file: 'src/domain/decide.ts',
    from: '?? 0;\n    if (quantity > onHand) {\n',
    to: '?? 0;\n    if (quantity > onHand && items.every((line) => line.quantity > onHand)) {\n',
    tests: ['test/unit/domain/decide.test.ts', ...SIMULATION],
  },
  {
    name: 'a gzip bomb is unpacked',
    file: 'src/adapters/kafka/codecs.ts',
    from: 'return gunzipSync(bytes, { maxOutputLength: cap });',
    to: 'return gunzipSync(bytes);',
    tests: ['test/unit/kafka/codecs.test.ts'],
  },
  {
    name: 'an empty name is another than none',
    file: 'src/domain/edit.ts',
    from: "details.name === '' ? null : details.name;",
    to: 'details.name;',
    tests: ['test/unit/domain/edit.test.ts'],
  },
  {
    name: 'an empty price is no price to take',
    file: 'src/domain/edit.ts',
    from: "details.price === '' ? null : details.price;",
    to: 'details.price;',
    tests: ['test/unit/domain/edit.test.ts'],
  },
  {
    name: 'an empty name of an older version is kept in the snapshot',
    file: files('row-cells.ts'),
    from: "title === '' ? null : title;",
    to: 'title;',
    tests: ['test/unit/files/audit.test.ts'],
  },
  {
    name: 'an empty name of an older version is kept in the log of edits',
    file: files('edit-line.ts'),
    from: "item?.name === '' ? { ...item, name: null } : item;",
    to: 'item;',
    tests: ['test/unit/files/audit.test.ts'],
  },
  {
    name: 'who owns the folder for the moment of an edit is not waited for',
    file: files('owner.ts'),
    from: 'found.hello.purpose !== EDIT_PURPOSE ||',
    to: "found.hello.purpose !== '' ||",
    tests: ['test/unit/files/owner.test.ts'],
  },
  {
    name: 'stop --kill goes by the number of the process alone',
    file: files('owner-stop.ts'),
    from: "if (owner.process === null || processes.stateOf(owner.process) !== 'alive') {",
    to: 'if (owner.process === null) {',
    tests: ['test/unit/files/owner-stop.test.ts'],
  },
  {
    name: 'a later process of the same number is taken for the one of before',
    file: files('processes.ts'),
    from: "return found === start ? 'alive' : 'dead';",
    to: "return found === null ? 'dead' : 'alive';",
    tests: ['test/unit/files/processes.test.ts'],
  },
  ...USE_CASES,
  ...COMMANDS,
  {
    name: 'a log replaced by another of the same length is not noticed',
    file: files('log.ts'),
    from: 'found?.inode === this.#inode && found.sizeBytes',
    to: 'found?.sizeBytes',
    tests: ['test/unit/files/ledger.test.ts'],
  },
  {
    name: 'a rewrite makes a CSV readable for everyone',
    file: files('checkpoint.ts'),
    from: '    if (access !== undefined) files.setAccess(fd, access);\n',
    to: '',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'a rewrite gives a CSV to who runs it',
    file: files('access.ts'),
    from: 'isGroupKept = tryChown(fd, uid, gid) || tryChown(fd, found.uid, gid);',
    to: 'isGroupKept = tryChown(fd, found.uid, found.gid);',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'another group gets what the group of a CSV had',
    file: files('access.ts'),
    from: 'isGroupKept ? mode :',
    to: 'mode > 0 ? mode :',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'a rewrite drops the byte order mark',
    file: files('csv-view.ts'),
    from: "isMarked ? BYTE_ORDER_MARK : ''",
    to: "isMarked ? '' : ''",
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'a rewrite makes CRLF to LF',
    file: files('csv-view.ts'),
    from: '    text += lineEnd;\n',
    to: "    text += '\\n';\n",
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: "what root makes in another user's folder stays root's",
    file: files('access.ts'),
    from: '  fs.fchownSync(fd, folder.uid, folder.gid);\n',
    to: '',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: "the socket of root's command stays root's",
    file: files('owner.ts'),
    from: '  adoptSocket(file, short);\n',
    to: '',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'what root makes is open to more than its folder',
    file: files('access.ts'),
    from: 'mode & folder.mode & PERMISSIONS',
    to: 'mode & PERMISSIONS',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: "a folder that root makes in another user's stays root's",
    file: files('access.ts'),
    from: '  for (const directory of made) adoptByName(directory);\n',
    to: '',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'the separator of a file with quotes is not named',
    file: files('csv-view.ts'),
    from: '  checkSeparator(bytes, expected);\n',
    to: '',
    tests: ['test/unit/files/csv-view.test.ts'],
  },
  {
    name: 'what the machine refuses is called a bug',
    file: 'src/cli/exit.ts',
    from: '  if (isSystemError(error)) return systemFailure(error);\n',
    to: '',
    tests: ['test/unit/cli/run-to-exit.test.ts'],
  },
  {
    name: 'a full disk under stdout is found out too late',
    file: 'src/cli/render/print.ts',
    from: '    await new Promise((resolve) => setImmediate(resolve));\n',
    to: '',
    tests: ['test/unit/cli/run-to-exit.test.ts'],
  },
  {
    name: 'a pipe in the place of a file is read for ever',
    file: files('fs.ts'),
    from: '  if (stat.isFile()) return fd;\n',
    to: '  if (!stat.isDirectory()) return fd;\n',
    tests: ['test/unit/files/access.test.ts'],
  },
  {
    name: 'a read that fails is called a write',
    file: 'src/domain/system-failure.ts',
    from: "READING.has(syscall ?? '') ? 'read' : 'write');",
    to: "'write');",
    tests: ['test/unit/domain/system-failure.test.ts'],
  },
  {
    name: 'an edited copy is taken for what the table is to be',
    file: files('table-copy.ts'),
    from: 'mergeFrom(found, table, (name) => base.rows.get(name) ?? null)',
    to: 'mergeFrom(found, table, (name) => table.rows.get(name) ?? null)',
    tests: ['test/unit/files/table-copy.test.ts'],
  },
  {
    name: 'an edited copy takes a column away that came meanwhile',
    file: files('table-copy.ts'),
    from: 'hasSameColumns ? table.columns : found.columns',
    to: 'found.columns',
    tests: ['test/unit/files/table-copy.test.ts'],
  },
  {
    name: 'an edited copy goes before a hand edit that was saved first',
    file: files('file-store.ts'),
    from: '      await this.#lookForHandEdits();\n      const { commit, merge }',
    to: '      const { commit, merge }',
    tests: ['test/unit/files/table-copy.test.ts'],
  },
  {
    name: 'an edit of the order of rows is not written',
    file: files('file-store.ts'),
    from: "        this.#csvs[kind.table === 'users' ? 0 : 1].writeAgain();\n",
    to: '',
    tests: ['test/unit/files/table-copy.test.ts'],
  },
];
