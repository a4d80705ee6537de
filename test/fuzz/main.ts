import { parseArgs } from 'node:util';
import { explain } from '../simulate/shrink.ts';
import { fuzzBatches, noBatchCounts } from './batches.ts';
import { fuzzBodies, noBodyCounts } from './bodies.ts';
import { fuzzFiles, noFileCounts } from './files.ts';
import { fuzzFollow, noFollowCounts } from './follow.ts';
import { fuzzMessages, noMessageCounts } from './messages.ts';
import { fuzzRecords, noRecordCounts } from './records.ts';

/* `npm run fuzz`: hostile records, record batches and files, as many as one likes. */

const HELP = `npm run fuzz -- [--seed N] [--count N]

Hostile input: files of a storage folder with one byte flipped or cut to one length, journals that are damaged while they
are followed, record batches, bodies of requests to the API, and records through codec, decision and store. Ends 1 at the
first failure, with its seed.

  --seed N   default: from the clock
  --count N  of files, batches and records together (default 20,000), and a tenth of that of followed journals, of each message and to each call; 100,000 damages each byte and length
`;
/** Of a count, as long as there are so many damages. */
const FILES_SHARE = 0.45;
const BATCHES_SHARE = 0.1;
const MESSAGES_SHARE = 0.1;
const FOLLOWED_SHARE = 0.1;
const RECORDS_AT_ONCE = 5_000;

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    count: { type: 'string', default: '20000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const count = Number(values.count);
  const files = noFileCounts();
  const followed = noFollowCounts();
  const batches = noBatchCounts();
  const messages = noMessageCounts();
  const bodies = noBodyCounts();
  const records = noRecordCounts();
  const say = (what: string, counts: object): void => {
    process.stdout.write(`seed ${seed}: ${what} ${JSON.stringify(counts)}\n`);
  };
  try {
    // At 100,000 each of them is tried.
    await fuzzFiles(seed, () => count / 100_000, files);
    say('files', files);
    await fuzzFollow(seed, Math.ceil(count * FOLLOWED_SHARE), followed);
    say('followed', followed);
    fuzzBatches(seed, Math.floor(count * BATCHES_SHARE), batches);
    say('batches', batches);
    // Of each message of the catalogue.
    await fuzzMessages(seed, Math.ceil(count * MESSAGES_SHARE), messages);
    say('messages', messages);
    await fuzzBodies(seed, Math.ceil(count * MESSAGES_SHARE), bodies);
    say('bodies', bodies);
    const wanted = Math.max(count * (1 - FILES_SHARE - BATCHES_SHARE), count - files.files - batches.batches);
    for (let round = 0; records.records < wanted; round++) {
      await fuzzRecords(seed + round * RECORDS_AT_ONCE, RECORDS_AT_ONCE, records);
    }
    say('records', records);
    const input = batches.batches + messages.messages + bodies.bodies + records.records;
    const all = files.files + followed.followed + input;
    process.stdout.write(`${all.toLocaleString('en')} in all, none got through\n`);
  } catch (error) {
    process.stdout.write(
      `${JSON.stringify({ files, followed, batches, messages, bodies, records })}\nseed ${seed} fails: ${explain(error)}\n`,
    );
    process.exitCode = 1;
  }
}
