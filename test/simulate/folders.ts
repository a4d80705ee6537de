import { FaultyFs } from '../support/faulty-fs.ts';
import * as oracle from './oracle.ts';
import { SimBroker } from './sim-broker.ts';
import { SimGateway } from './sim-gateway.ts';
import { FOLDERS, type History } from './steps.ts';
import { makeTopic, SHARED_RECORDS, type SimTopic } from './topic.ts';
import { World, type Moment } from './world.ts';

const prepared = new Map<number, Promise<Moment>>();

/** A folder to begin with: fresh, with files of a person, in use for long, or left by a crash. */
export async function begin(history: History, topic: SimTopic): Promise<World> {
  const number = history.folder % FOLDERS;
  let making = prepared.get(number);
  if (making === undefined) prepared.set(number, (making = prepare(number)));
  const moment = await making;
  const files = moment.files.survived('kill');
  const broker = new SimBroker(topic, moment.broker);
  return new World(history, topic, { ...moment, files, broker, gateway: new SimGateway(moment.gateway) });
}

async function prepare(number: number): Promise<Moment> {
  // Only records that are the same for every seed are read.
  const topic = makeTopic(0);
  const history: History = { seed: 0, folder: number, checkpointBytes: 400, steps: [] };
  const files = new FaultyFs(number);
  const empty: Moment = {
    files,
    broker: new SimBroker(topic),
    gateway: new SimGateway(),
    truths: [oracle.FRESH],
    versions: { 'users.csv': [], 'inventory.csv': [] },
    unfinished: new Map(),
    time: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
    owner: 0,
    step: 0,
  };
  const world = new World(history, topic, empty);
  if (number === 0) return empty;
  const users = oracle.renderCsv(
    'users.csv',
    new Map([
      ['alice', 'paid'],
      ['bob', 'unpaid'],
      ['carol', 'paid'],
    ]),
  );
  const items = oracle.renderCsv(
    'inventory.csv',
    new Map([
      ['book', 20],
      ['pen', 9],
      ['ink', 3],
      ['cup', 40],
      ['lamp', 70],
      ['map', 5],
    ]),
  );
  for (const [file, text] of [
    ['users.csv', users],
    ['inventory.csv', items],
  ] as const) {
    files.put(world.path(file), Buffer.from(text));
    world.saved(file, text, null);
  }
  if (number === 1) return world.moment(files);
  await world.open();
  await world.start();
  for (let round = 0; round < 7; round++) {
    const partition = round % 3;
    const left = SHARED_RECORDS - Math.floor(round / 3) * 3;
    await world.batch({ partition, count: Math.min(3, left), stale: 0, sendFault: null });
    await world.clock.tick();
    if (round > 0) await world.restart();
  }
  if (number === 2) {
    await world.close();
    return world.moment(files);
  }
  // Killed: the journal holds commits, and the CSVs are behind.
  let image: Moment | undefined;
  await world.edit({ kind: 'item.update', item: 'book', by: 5 });
  world.onCall = (point) => (image ??= world.moment(point.image()));
  await world.edit({ kind: 'item.update', item: 'pen', by: 5 });
  world.onCall = undefined;
  await world.close();
  if (image === undefined) throw new Error('an edit made no call');
  return image;
}
