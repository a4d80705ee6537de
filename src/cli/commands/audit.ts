import type { Command } from 'commander';
import type { TopicPorts } from '../../app/audit/topics.ts';
import type { AuditResult } from '../../app/audit/audit.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Codec, OrderCodec } from '../../ports/codec.ts';
import { openStore } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { ORDER_CREATED, type OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { describe } from '../help.ts';
import { auditDocument, auditText } from '../output/audit.ts';
import { printNotice } from '../output/store-notices.ts';
import { count } from '../output/text.ts';
import { wayOut } from '../hints.ts';
import { takingMoment } from '../parse.ts';
import type { Session } from '../session.ts';
import { momentGiven, printReached, type MomentFlags } from '../tables/past.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Checks the store: the stock of every item equals its additions less its sales, each accepted order started from ' +
      'the stock that the one before it left, each id is decided once, and logs, edits, index, journal, positions and ' +
      'CSVs agree. Works while a consumer runs. A hand edit that is not applied yet, or a CSV that lags behind a ' +
      'running consumer, is reported but not a difference; a CSV that cannot be parsed is. Records that a reset ' +
      'skipped are listed.\n\n' +
      '--with-topic also reads every record below the stored positions: each must be a decided order, a duplicate, a ' +
      'dead letter or skipped, and each unfinished order of the checkout must have an unread record, a pending message, ' +
      'an effect or a dead letter. --repair rebuilds what is derived from the logs (CSVs, index, ends of the logs since ' +
      'the last checkpoint); exit code 4 while a consumer runs. Damaged logs must be restored from a backup.\n\n' +
      '--at checks the books as of a time, using only the logs: stock, users, orders and steps of the checkout. It ' +
      'excludes --with-topic and --repair.\n\n' +
      'Exit code 6 if there is a difference.',
    examples: [
      ['orderctl audit --with-topic', 'account for every record too'],
      ['orderctl audit --at 2026-11-28', 'check the books as of midnight'],
    ],
  })
    .option('--with-topic', 'also read the topic')
    .option('--repair', 'rebuild what is derived from the logs');
  takingMoment(command, 'the books').action(async (flags: AuditFlags) => {
    const { settings, printer, isJson } = session;
    const at = momentGiven(flags);
    exclude(flags);
    const { audit } = await import('../../app/audit/audit.ts');
    const access = await openStore(settings);
    const result = await audit(access, {
      topic: flags.withTopic === true ? await topicPorts(session) : null,
      repair: flags.repair === true,
      at,
      onNotice: (notice) => printNotice(printer, notice),
    });
    if (result.ownerUnknown !== null) {
      printer.warn(
        `whether a consumer runs is not known: ${result.ownerUnknown.message}; checked as of the last commit`,
      );
    }
    if (result.asOf !== null) printReached(session, result.asOf);
    await (isJson
      ? printer.data(`${JSON.stringify(auditDocument(result))}\n`)
      : printer.text(auditText(result)));
    if (result.total > 0) throw mismatch(result, access.name, await mayRun(access));
  });
}

interface AuditFlags extends MomentFlags {
  withTopic?: true;
  repair?: true;
}

/** Refuses --at with flags that work on the current topic or files. @throws Failure invalid_value */
function exclude({ at, withTopic, repair }: AuditFlags): void {
  if (at === undefined || (withTopic === undefined && repair === undefined)) return;
  throw new Failure('invalid_value', `--at excludes ${repair === true ? '--repair' : '--with-topic'}`, {
    fix: 'use one of them',
  });
}

async function topicPorts(session: Session): Promise<TopicPorts> {
  const { topic, dlqTopic, topics: names } = session.settings;
  const { openForRun } = await import('../kafka/open.ts');
  // Whether orders needed a user was a setting of the run that decided them, and may differ from this one's.
  const { broker, codecOf } = await openForRun(session, { register: false, users: 'optional' });
  const [codec, createdCodec] = (await Promise.all([codecOf(ORDER), codecOf(ORDER_CREATED)])) as [
    OrderCodec,
    Codec<OrderCreated>,
  ];
  return { broker, codec, createdCodec, topic, dlqTopic, names };
}

/** Whether a consumer runs; true if that is not known. */
async function mayRun(access: StoreAccess): Promise<boolean> {
  try {
    return (await access.consumerStatus()) !== null;
  } catch (error) {
    if (!isFailure(error)) throw error;
    return true;
  }
}

function mismatch({ total, differences }: AuditResult, folder: string, mayRun: boolean): Failure {
  const [first] = differences;
  const isRepairable = differences.some(({ fix }) => fix === null);
  const fixes = [
    ...(isRepairable ? [`${mayRun ? 'stop the consumer, then: ' : ''}orderctl audit --repair`] : []),
    ...new Set(differences.flatMap(({ fix }) => (fix === null ? [] : wayOut(fix)))),
  ];
  return new Failure(
    'audit_mismatch',
    `${folder}: ${count(total, 'difference')}, first ${first?.where ?? ''}`,
    {
      fix: fixes.slice(0, 3).join('\n'),
      context: { ...(first?.orderId == null ? {} : { orderId: first.orderId }) },
    },
  );
}
