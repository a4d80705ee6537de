import type { Command } from 'commander';
import type { DiscardedDeadLetters } from '../../../documents/dead-letter.ts';
import { Failure } from '../../../domain/failure.ts';
import { formatDeadLetterId, parseDeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import { confirm } from '../../ask.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { printNotice } from '../../output/store-notices.ts';
import { count, onlyTopic } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { IDS } from './filter.ts';
import { scopeOf, takingScope, type ScopeFlags } from './scope.ts';

export function registerDiscard(dlq: Command, session: Session): void {
  const command = describe(dlq.command('discard'), {
    summary: 'mark dead letters as discarded',
    prose:
      'Marks dead letters as discarded: they stay in the topic, are listed as discarded and are not redriven. The user, ' +
      'time and reason are logged in .orderctl/edits.jsonl. Asks for confirmation; --yes skips it, and is required ' +
      `without a terminal.\n\n${IDS}`,
    examples: [['orderctl dlq discard 0:17 --why "a test of the web shop" --yes', 'without confirmation']],
  });
  takingScope(command)
    .argument('<ID...>', 'id, as shown by "dlq list"')
    .requiredOption('--why <TEXT>', 'the reason, for the log')
    .option('-y, --yes', 'do not ask')
    .action(async (texts: string[], flags: DiscardFlags) => {
      await discard(session, texts, flags);
    });
}

interface DiscardFlags extends ScopeFlags {
  why: string;
  yes?: true;
}

async function discard(session: Session, texts: readonly string[], flags: DiscardFlags): Promise<void> {
  const { printer, isJson } = session;
  const { why, yes } = flags;
  const ids = texts.map(parseDeadLetterId);
  if (why.trim() === '') {
    throw new Failure('invalid_value', '--why is empty', { fix: 'give the reason in a few words' });
  }
  const { discardDeadLetters, findDeadLetters } = await import('../../../app/dlq/discard.ts');
  const access = await openStoreOf(session);
  const scope = await scopeOf(session, flags, ids);
  const topics = scope.topics.join(', ');
  const found = await findDeadLetters({ access, broker: await openBrokerOnly(session) }, { scope, ids });
  const open = found.filter(({ state }) => state === 'open');
  const done = found.filter(({ state }) => state !== 'open');
  for (const { id, state } of done)
    printer.info(`${formatDeadLetterId(id)} is ${state} already, and stays so`);
  if (open.length > 0) {
    const named = open
      .slice(0, 5)
      .map(({ id, origin }) => `${formatDeadLetterId(id)} ${origin.errorCode ?? 'unknown'}`);
    const list = `${named.join(', ')}${open.length > named.length ? ', …' : ''}`;
    const isSure = await confirm(
      `Discard ${count(open.length, 'dead letter')} of ${topics} (${list})?`,
      yes === true,
    );
    if (!isSure) {
      printer.info('nothing changed');
      return;
    }
    const onNotice = (notice: Parameters<typeof printNotice>[1]): void => printNotice(printer, notice);
    await discardDeadLetters(access, { deadLetters: open, why, onNotice });
  }
  const discarded = open.map(({ id }) => formatDeadLetterId(id));
  const skipped = done.map(({ id, state }) => ({ id: formatDeadLetterId(id), state }));
  const document: DiscardedDeadLetters = { topic: onlyTopic(scope), why, discarded, skipped };
  const list = discarded.length === 0 ? '' : `: ${discarded.join(' ')}`;
  const text = `discarded ${count(open.length, 'dead letter')} of ${topics}${list}`;
  await printer.data(`${isJson ? JSON.stringify(document) : text}\n`);
}
