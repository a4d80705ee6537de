import { isFailure } from '../../src/domain/failure.ts';
import { decideEdit } from '../../src/domain/edit.ts';
import * as oracle from './oracle.ts';
import { performAtOnce } from './owed.ts';
import { callService, performEffects } from './parts.ts';
import type { SaveOutcome, TableEdit, TableFile } from './oracle.ts';
import type { Save, Step } from './steps.ts';
import { endOf, PARTITIONS } from './topic.ts';
import { succeeds, type World } from './world.ts';

/** Does one step, and knows at each moment what a crash may leave of it. */
export async function perform(world: World, step: Step): Promise<void> {
  switch (step.kind) {
    case 'batch':
      return world.batch(step);
    case 'stale_member': {
      const positions = new Map(world.earlier);
      return world.batch({ ...step, stale: 0, sendFault: null }, positions);
    }
    case 'edit':
      return world.edit(step.request);
    case 'save':
      save(world, step.save);
      return world.look();
    case 'save_during_rewrite':
      return saveDuringRewrite(world, step.save, step.call);
    case 'session':
      return session(world, step);
    case 'half_save':
      return halfSave(world, step.save, step.partition);
    case 'foreign_file':
      return foreignFile(world, step.file);
    case 'break_file':
      return breakFile(world, step.file, step.restart);
    case 'remove_file':
      world.files.remove(world.path(step.file));
      return world.look();
    case 'old_file': {
      const text = textOf(world, step.file, step.back);
      if (text === undefined) return;
      put(world, step.file, text, 'replace', null);
      return world.look();
    }
    case 'rewind':
      return world.rewind(step.partition, Math.min(step.to, endOf(world.topic, step.partition)));
    case 'move_group': {
      const offset = Math.min(step.to, endOf(world.topic, step.partition));
      await world.close();
      world.broker.committed.set(step.partition, { partition: step.partition, offset, metadata: '' });
      return world.restart();
    }
    case 'restart':
      return world.restart();
    case 'handover':
      await world.close();
      await world.open('command');
      await ownEdit(world, step.request);
      return world.restart();
    case 'robbed':
      return robbed(world, step);
    case 'older_copy':
      return olderCopy(world, step);
    case 'together':
      return together(world, step);
    case 'service':
      return callService(world, step.call);
    case 'effects':
      await performEffects(world, step.call);
      return;
    case 'at_once':
      return performAtOnce(world, step.debts);
    case 'silent':
      return silent(world, step);
    case 'tick':
      return world.clock.tick();
  }
}

/** An edit by a command that owns the folder for a moment. */
async function ownEdit(world: World, request: TableEdit): Promise<void> {
  const { truth, store } = world;
  const after = oracle.afterEdit(truth, request, 'command');
  world.truths = [truth, after];
  await succeeds(() =>
    store.transact({}, (snapshot) => {
      return { changes: { edits: [decideEdit(request, snapshot)] }, result: null };
    }),
  );
  world.truths = [after];
}

/** What an editor loaded `back` versions ago; undefined when there was no file. */
function textOf(world: World, file: TableFile, back: number): string | undefined {
  if (back === 0) return world.files.get(world.path(file))?.toString();
  const texts = world.versions[file].flatMap(({ text }) => (text === null ? [] : [text]));
  return texts.at(-1 - back) ?? texts.at(0);
}

function changed(text: string, { file, change }: Save): string {
  const [header = '', ...rows] = text.split('\n').slice(0, -1);
  return [header, ...changedRows(header, rows, file, change)].map((line) => `${line}\n`).join('');
}

function changedRows(
  header: string,
  rows: readonly string[],
  file: TableFile,
  change: Save['change'],
): readonly string[] {
  switch (change.kind) {
    case 'add': {
      const blanks = header
        .split(',')
        .slice(2)
        .map(() => ',');
      const value = file === 'users.csv' ? 'paid' : '5';
      return [...rows, ...change.names.map((name) => `${name},${value}${blanks.join('')}`)];
    }
    case 'remove': {
      const removed = new Set(change.rows.map((row) => row % Math.max(1, rows.length)));
      return rows.filter((_, at) => !removed.has(at));
    }
    case 'keep':
      return rows.slice(0, change.count);
    case 'set': {
      const set = new Set(change.rows.map((row) => row % Math.max(1, rows.length)));
      return rows.map((row, at) => (set.has(at) ? setRow(row, file, change.by) : row));
    }
  }
}

function setRow(row: string, file: TableFile, by: number): string {
  const [name = '', value = '', ...rest] = row.split(',');
  const flipped = value === 'paid' ? 'unpaid' : 'paid';
  const other = file === 'users.csv' ? flipped : String(Math.max(0, Number(value) + by));
  return [name, other, ...rest].join(',');
}

function put(
  world: World,
  file: TableFile,
  text: string,
  mode: Save['mode'],
  loaded: string | null,
): () => SaveOutcome {
  const bytes = Buffer.from(text);
  const name = world.path(file);
  const inPlace = mode === 'in_place' ? world.files.putInPlace(name) : undefined;
  if (inPlace === undefined) world.files.put(name, bytes);
  else inPlace(bytes);
  return world.saved(file, text, loaded === null ? null : oracle.parseCsv(loaded));
}

function save(world: World, what: Save): void {
  const text = textOf(world, what.file, what.back);
  if (text !== undefined) put(world, what.file, changed(text, what), what.mode, text);
}

/** Users load the file, orders come in, and each saves in his turn what he has loaded and changed. */
async function session(world: World, step: Extract<Step, { kind: 'session' }>): Promise<void> {
  const sell = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round++) {
      await world.batch({
        partition: (step.partition + round) % PARTITIONS,
        count: 2,
        stale: 0,
        sendFault: null,
      });
      await world.clock.tick();
    }
  };
  await world.clock.tick();
  const loaded: [Save, string][] = [];
  for (const each of step.saves) {
    const text = world.files.readByOthers(world.path(each.file))?.toString();
    if (text !== undefined) loaded.push([each, text]);
    await sell(step.between);
  }
  for (const [each, text] of loaded) {
    await sell(step.between);
    const outcomeOf = put(world, each.file, changed(text, each), each.mode, text);
    await world.look();
    world.saves[outcomeOf()] += 1;
  }
}

async function saveDuringRewrite(world: World, what: Save, call: number): Promise<void> {
  const text = textOf(world, what.file, what.back);
  await world.edit({ kind: 'item.update', item: 'book', by: 1 });
  await world.edit({ kind: 'user.update', user: 'carol', status: 'paid' });
  if (text === undefined) return world.clock.tick();
  const act = (): void => {
    // What is being written may be known already.
    world.addVersion(what.file, { rows: world.truth.rows[what.file], text: null });
    put(world, what.file, changed(text, what), what.mode, text);
  };
  await world.interruptAt(call, act, () => world.clock.tick());
  return world.look();
}

async function halfSave(world: World, what: Save, partition: number): Promise<void> {
  const text = textOf(world, what.file, what.back);
  if (text === undefined) return;
  const whole = changed(text, what);
  world.unfinished.set(what.file, { text: whole, broken: false });
  world.files.put(world.path(what.file), Buffer.from(whole.slice(0, whole.length / 2)), true);
  await world.batch({ partition, count: 2, stale: 0, sendFault: null });
  await world.clock.tick();
  put(world, what.file, whole, 'replace', text);
  return world.look();
}

async function foreignFile(world: World, file: TableFile): Promise<void> {
  const value = file === 'users.csv' ? 'paid' : '1';
  const names = ['strange1', 'strange2', 'strange3'];
  const text = oracle.renderCsv(file, new Map(names.map((name) => [name, value])));
  const before = world.truth;
  const known = world.versions[file].some((version) => version.text === text);
  put(world, file, text, 'replace', null);
  await world.look();
  const kept = world.files.names().some((name) => {
    return (
      name.startsWith(world.path(file)) &&
      name.endsWith('.conflict') &&
      world.files.get(name)?.toString() === text
    );
  });
  if (world.truth === before && !known && !kept) throw new Error(`a strange ${file} was not kept`);
}

async function breakFile(world: World, file: TableFile, restart: boolean): Promise<void> {
  const versions = world.versions[file];
  const good = versions.findLast(({ text }) => text !== null)?.text;
  if (good === undefined || good === null) return;
  const header = good.slice(0, good.indexOf('\n'));
  world.unfinished.set(file, { text: good, broken: true });
  world.files.put(world.path(file), Buffer.from(`${header}\nbook,"many\n`));
  await world.batch({ partition: 0, count: 2, stale: 0, sendFault: null });
  await world.clock.tick();
  if (restart) {
    await world.close();
    await world.expectRefusal(file);
  }
  put(world, file, good, 'replace', null);
  if (!restart) return world.look();
  await world.open();
  await world.settle();
  return world.start();
}

/**
 * Sockets keep a paused owner from being robbed. Should they fail all the same, the journal tells who wakes up that it
 * is not alone: what it was about to commit is refused, what it was sending is sent by another too, and a checkpoint that
 * it was in the middle of is given up.
 */
async function robbed(world: World, step: Extract<Step, { kind: 'robbed' }>): Promise<void> {
  await world.clock.tick();
  const old = world.store;
  const { process } = world;
  const doNext = await begin(world, step);
  process.pause();
  await world.open('command');
  await ownEdit(world, step.request);
  if (step.wakes === 'effect') await performEffects(world, step.effects);
  process.wake();
  try {
    await doNext();
    if (step.wakes !== 'close') throw new Error('an owner went on that was not alone');
  } catch (error) {
    if (!isFailure(error, 'folder_in_use')) throw error;
  } finally {
    await old[Symbol.asyncDispose]().catch((error: unknown) => {
      if (!isFailure(error, 'folder_in_use')) throw error;
    });
  }
  await world.restart();
}

/** @returns what the owner is about to do when it is paused */
async function begin(world: World, step: Extract<Step, { kind: 'robbed' }>): Promise<() => Promise<unknown>> {
  const old = world.store;
  switch (step.wakes) {
    case 'close':
      return async () => undefined;
    case 'commit': {
      const phantom = { kind: 'item.add', item: 'phantom', quantity: 1 } as const;
      return () => old.edit(phantom, { by: 'old', via: 'command' });
    }
    case 'sending':
      world.broker.fallSilent('alerts');
      await callService(world, { ...step.call, topics: ['alerts'] });
      return () => world.sendLate('alerts');
    case 'effect': {
      await callService(world, { ...step.call, asks: true });
      const [first] = await performEffects(world, { answer: 'none' });
      if (first === undefined) throw new Error('nothing is owed');
      const { id } = first;
      return () =>
        old.transact({ effects: [id] }, () => ({
          changes: { effects: [{ id, effect: null }] },
          result: null,
        }));
    }
  }
}

/** A destination does not answer for a while. */
async function silent(world: World, step: Extract<Step, { kind: 'silent' }>): Promise<void> {
  world.broker.fallSilent(step.destination);
  for (const call of step.calls) await callService(world, call);
  await world.batch({ ...step, stale: 0, sendFault: null });
  world.broker.answerAgain(step.destination);
  return world.send(oracle.whileSendingOn);
}

async function olderCopy(world: World, step: Extract<Step, { kind: 'older_copy' }>): Promise<void> {
  const { partition, count, request, newId } = step;
  await world.close();
  const copy = world.moment(world.files.survived('kill'));
  await world.restart();
  const { storeId } = world.store;
  for (let round = 0; round < PARTITIONS; round++) {
    const at = (partition + round) % PARTITIONS;
    await world.batch({ partition: at, count: count + round, stale: 0, sendFault: null });
  }
  await world.edit(request);
  await world.close();
  world.goOnWith(copy, { newId });
  await world.open('consume', newId);
  if ((world.store.storeId !== storeId) !== newId) throw new Error(`the copy has the id ${storeId}`);
  await world.settle();
  return world.start();
}

async function together(world: World, step: Extract<Step, { kind: 'together' }>): Promise<void> {
  const { truth, store } = world;
  const edited = oracle.afterEdit(truth, step.request, 'command');
  const ticking = world.clock.tick();
  const editing = succeeds(() => store.edit(step.request, { by: 'somebody', via: 'command' }));
  const fetch = { ...step, stale: 0, sendFault: null };
  const beside = Promise.all([ticking, editing]);
  await world.batch(fetch, world.positions, [truth, edited], beside);
}
