import { Failure, isFailure } from '../../domain/failure.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { TopicNames } from '../../domain/messages/topic-names.ts';
import type { Broker, BrokerAdmin } from '../../ports/broker.ts';
import { SET_ASIDE_CAUSES } from '../../domain/set-aside.ts';
import type { Clock } from '../../ports/clock.ts';
import type { SchemaTools } from '../../ports/schema-registry.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import { checkSchema } from '../schema/check.ts';
import { refuseIfVanished, storedPositions } from '../offsets/group-positions.ts';
import { markOf } from '../offsets/plan.ts';
import { showOffsets } from '../offsets/show.ts';
import { checkDisk } from './disk.ts';
import { checkOtherPositions } from './positions.ts';
import { checkTopics, unlessDenied, whyMissing } from './topics.ts';
import { counted, ok, warning, type Check, type Finding } from './finding.ts';

export interface DoctorPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly tools: SchemaTools;
  readonly clock: Clock;
}

export interface DoctorOptions {
  readonly topic: string;
  readonly dlqTopic: string;
  readonly group: string;
  readonly names: TopicNames;
  /** The settings file in use; null: none. */
  readonly settingsFile: string | null;
}

/** Clocks that are further apart make --since, retention and resets to a time unreliable. */
const CLOCK_APART_MS = 5 * 60_000;

/** Checks everything that a consumer depends on, and changes nothing. Failures do not throw: they are findings. */
export async function doctor(ports: DoctorPorts, options: DoctorOptions): Promise<readonly Check[]> {
  const checks: Check[] = [];
  const run = async (name: string, check: () => Promise<Finding>): Promise<boolean> => {
    const found = await findingOf(name, check);
    const before = found.failure?.code === 'read_failed' ? checks.find(isUnreadable) : undefined;
    if (before === undefined) checks.push(found);
    else skip(`it reads files that cannot be read either: see ${before.name}`, name);
    return found.state !== 'error';
  };
  const skip = (reason: string, ...names: string[]): void => {
    for (const name of names) {
      checks.push({ name, state: 'skipped', message: reason, fix: null, failure: null });
    }
  };
  const { settingsFile } = options;
  await run('settings', async () =>
    ok(settingsFile === null ? 'flags, environment and defaults' : `from ${settingsFile}`),
  );
  const folder: ReadFolder = { isRead: false, refused: null };
  await run('storage', () => checkStorage(ports.access, folder));
  await run('hand_edits', async () => checkHandEdits(ports.access, folder.refused));
  await run('owner', () => checkOwner(ports.access));
  await run('disk', () => checkDisk(ports.access));
  if (await run('broker', () => checkBroker(ports.broker))) {
    await using admin = await ports.broker.admin();
    await run('versions', () => checkVersions(admin));
    await run('topics', () =>
      unlessDenied(async () => {
        if (folder.isRead) await refuseIfVanished(admin, ports.access, options.topic);
        return checkTopics(admin, options);
      }),
    );
    const missing = await whyMissing(admin, options.topic);
    if (missing === null) {
      if (folder.isRead) {
        await run('positions', () => checkPositions(ports, admin, options));
        await run('group', () => checkGroup(ports, admin, options));
      } else {
        skip('needs the storage folder: see storage', 'positions', 'group');
      }
      await run('clock', () => checkClock(ports, admin, options.topic));
    } else {
      skip(missing, 'positions', 'group', 'clock');
    }
    if (folder.isRead) checks.push(...(await checkOtherPositions(ports.access, admin, options.names)));
  } else {
    skip('no broker answers', 'versions', 'topics', 'positions', 'group', 'clock');
  }
  const subject = `${options.topic}-value`;
  if (await run('registry', () => checkRegistry(ports.tools, subject))) {
    await run('schema', () => checkOwnSchema(ports.tools, subject));
  } else {
    skip('no registry answers', 'schema');
  }
  return checks;
}

/** A missing permission to read is reported only once. */
function isUnreadable({ failure }: Check): boolean {
  return failure?.code === 'read_failed';
}

async function findingOf(name: string, check: () => Promise<Finding>): Promise<Check> {
  try {
    const { state, message, fix = null } = await check();
    return { name, state, message, fix, failure: null };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { name, state: 'error', message: error.message, fix: error.fix, failure: error };
  }
}

interface ReadFolder {
  /** Even if only with the last good values of a broken file. */
  isRead: boolean;
  /** A file that the next owner will set aside. */
  refused: Extract<StoreNotice, { kind: 'file_set_aside' }> | null;
}

/** @param folder receives the results */
async function checkStorage(access: StoreAccess, folder: ReadFolder): Promise<Finding> {
  const broken: Failure[] = [];
  await using reader = await access.read({
    onNotice: (notice) => {
      if (notice.kind === 'file_broken') broken.push(brokenFile(notice));
      if (notice.kind === 'file_set_aside') folder.refused ??= notice;
    },
  });
  folder.isRead = true;
  const [first] = broken;
  if (first !== undefined) throw first;
  const users = [...(await reader.users())].length;
  const items = [...(await reader.items())].length;
  if (users > 0 && items > 0)
    return ok(`${access.name}: ${counted(users, 'user')}, ${counted(items, 'item')}`);
  const missing = users === 0 ? 'users' : 'items';
  return warning(`${access.name}: no ${missing}, so every order would be rejected`, {
    kind: 'add_first',
    table: missing,
  });
}

function brokenFile({ file, line, message, fix }: Extract<StoreNotice, { kind: 'file_broken' }>): Failure {
  return new Failure('corrupt_file', `${message}; its last valid values stay in effect`, {
    ...(fix === null ? {} : { fix }),
    context: { file, line },
  });
}

function checkHandEdits(access: StoreAccess, refused: ReadFolder['refused']): Finding {
  const [first, ...others] = access.keptAside();
  if (first === undefined) {
    if (refused === null) return ok('no file is set aside');
    return warning(
      `${refused.file} is not applied, and will be set aside: ${SET_ASIDE_CAUSES[refused.why]}`,
      { kind: 'carry_over' },
    );
  }
  const more = others.length === 0 ? '' : `, and ${counted(others.length, 'more file')}`;
  return warning(
    `${first.file} was set aside, and none of its changes apply: ${SET_ASIDE_CAUSES[first.why]}${more}`,
    { kind: 'carry_over' },
  );
}

async function checkOwner(access: StoreAccess): Promise<Finding> {
  const running = await access.consumerStatus();
  if (running === null) return ok('no consumer is running on the folder');
  const { state, waitingFor } = running.status;
  if (waitingFor === null) return ok(`a consumer is running as process ${running.pid}: ${state}`);
  return warning(
    `the consumer, process ${running.pid}, is waiting for ${waitingFor === 'others' ? 'other processes' : `the ${waitingFor}`}`,
    'it continues by itself when that answers',
  );
}

async function checkBroker(broker: Broker): Promise<Finding> {
  await using admin = await broker.admin();
  const [clusterId, brokers] = [await admin.clusterId(), await admin.brokerCount()];
  return ok(`${broker.addresses}: cluster ${clusterId}, ${counted(brokers, 'broker')}`);
}

async function checkVersions(admin: BrokerAdmin): Promise<Finding> {
  const missing = await admin.missingRequests();
  if (missing.length === 0) return ok('the brokers support every request that is needed');
  throw new Failure('broker_refused', `the brokers do not support ${missing.join(', ')}`, {
    fix: 'use Apache Kafka 2.3 or newer, or a system that speaks its protocol',
  });
}

async function checkPositions(
  ports: DoctorPorts,
  admin: BrokerAdmin,
  options: DoctorOptions,
): Promise<Finding> {
  const { topic, group } = options;
  await using reader = await ports.access.read();
  const stored = await storedPositions(reader, { processor: 'orders', topic });
  for (const { failure } of (await admin.refusedPositions(topic, stored)).values()) throw failure;
  const { partitions, ahead } = await showOffsets(ports, { processor: 'orders', group, topics: [topic] });
  if (ahead.size > 0) {
    return warning('the group is ahead of this folder: the folder is an older backup, or a copy', {
      kind: 'show_offsets',
    });
  }
  const lag = partitions.reduce((sum, entry) => sum + entry.lag, 0);
  return ok(`${counted(lag, 'record')} to read`);
}

async function checkGroup(
  { access }: DoctorPorts,
  admin: BrokerAdmin,
  { topic, group }: DoctorOptions,
): Promise<Finding> {
  await using reader = await access.read();
  const mark = markOf(reader.storeId ?? '');
  const committed = await admin.committed(group, topic);
  const foreign = committed.find(
    ({ offset, metadata }) => offset !== null && metadata !== mark && metadata.startsWith(markOf('')),
  );
  if (foreign !== undefined) {
    throw new Failure(
      'group_marked',
      `group ${group} belongs to another folder, according to its mark on ${topic}/${foreign.partition}`,
      { fix: { kind: 'own_group_or_adopt' } },
    );
  }
  const { state, members } = await admin.group(group);
  const others = members.filter(({ clientId }) => clientId !== mark);
  if (others.length > 0) {
    const names = others.map(({ clientId, host }) => `${clientId} on ${host}`).join(', ');
    throw new Failure('group_in_use', `group ${group} has other members: ${names}`, {
      fix: { kind: 'own_group' },
    });
  }
  return ok(`${group}: ${state.toLowerCase()}`);
}

/** Kafka has no request for its time, so the newest record of each partition is used. */
async function checkClock({ clock }: DoctorPorts, admin: BrokerAdmin, topic: string): Promise<Finding> {
  const ranges = (await admin.ranges(topic))
    .filter(({ start, end }) => end > start)
    .map(({ partition, end }) => ({ partition, from: end - 1, to: end }));
  let newest = -Infinity;
  for await (const { records } of admin.records(topic, ranges)) {
    for (const { timestamp } of records) newest = Math.max(newest, timestamp);
  }
  if (newest - clock.now() <= CLOCK_APART_MS) return ok('no record has a time in the future');
  const minutes = Math.round((newest - clock.now()) / 60_000);
  return warning(
    `the newest record is ${minutes} minutes ahead of this machine's clock`,
    'synchronize the clocks of this machine and of the producers',
  );
}

async function checkRegistry({ registry }: SchemaTools, subject: string): Promise<Finding> {
  const versions = await registry.versions(subject);
  return ok(versions.length === 0 ? `answers; ${subject} is new` : `answers; ${subject} exists`);
}

async function checkOwnSchema(tools: SchemaTools, subject: string): Promise<Finding> {
  const schema = JSON.stringify(ORDER.schema);
  const { report, compatible } = await checkSchema(tools, { subject, schema, name: 'the order schema' });
  if (report.registered !== null) return ok(`registered: version ${report.registered.version}`);
  if (!compatible) {
    throw new Failure('incompatible_schema', `the order schema is not compatible with ${subject}`, {
      fix: { kind: 'check_schema' },
    });
  }
  return ok('not registered yet: sending the first order registers it');
}
