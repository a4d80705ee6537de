import type { Command } from 'commander';
import type { DiscardedDeadLetters } from '../../../documents/dead-letter.ts';
import { Failure } from '../../../domain/failure.ts';
import { parseDeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import { confirm } from '../../ask.ts';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { printNotice } from '../../output/store-notices.ts';
import { count } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { IDS } from './filter.ts';

export function registerDiscard(dlq: Command, session: Session): void {
  describe(dlq.command('discard'), {
    summary: 'mark dead letters as of no further use',
    prose:
      'Marks dead letters as discarded: they stay in the topic, are listed as such and are not redriven. Who did it, ' +
      'when and why is logged in .orderctl/edits.jsonl. Asks first; --yes answers, and without a terminal it is ' +
      `needed.\n\n${IDS}`,
    examples: [['orderctl dlq discard 0:17 --why "a test of the web shop" --yes', 'without a question']],
  })
    .argument('<ID...>', 'as "dlq list" names them')
    .requiredOption('--why <TEXT>', 'the reason, for the log')
    .option('-y, --yes', 'do not ask')
    .action(async (texts: string[], flags: { why: string; yes?: true }) => {
      await discard(session, texts, flags);
    });
}

async function discard(
  session: Session,
  texts: readonly string[],
  { why, yes }: { why: string; yes?: true },
): Promise<void> {
  const { settings, printer, isJson } = session;
  const { dlqTopic } = settings;
  const ids = texts.map(parseDeadLetterId);
  if (why.trim() === '') {
    throw new Failure('invalid_value', '--why is empty', { fix: 'say why in a few words' });
  }
  const { discardDeadLetters, findDeadLetters } = await import('../../../app/dlq/discard.ts');
  const access = await openStoreOf(session);
  const found = await findDeadLetters({ access, broker: await openBrokerOnly(session) }, { dlqTopic, ids });
  const open = found.filter(({ state }) => state === 'open');
  const done = found.filter(({ state }) => state !== 'open');
  for (const { mark, state } of done) printer.info(`${mark.id} was ${state} before: it stays so`);
  if (open.length > 0) {
    const named = open.slice(0, 5).map(({ mark, origin }) => `${mark.id} ${origin.errorCode ?? 'unknown'}`);
    const list = `${named.join(', ')}${open.length > named.length ? ', …' : ''}`;
    const isSure = await confirm(
      `Discard ${count(open.length, 'dead letter')} of ${dlqTopic} (${list})?`,
      yes === true,
    );
    if (!isSure) {
      printer.info('nothing changed');
      return;
    }
    const onNotice = (notice: Parameters<typeof printNotice>[1]): void => printNotice(printer, notice);
    await discardDeadLetters(access, { dlqTopic, deadLetters: open, why, onNotice });
  }
  const discarded = open.map(({ mark }) => mark.id);
  const skipped = done.map(({ mark, state }) => ({ id: mark.id, state }));
  const document: DiscardedDeadLetters = { topic: dlqTopic, why, discarded, skipped };
  const list = discarded.length === 0 ? '' : `: ${discarded.join(' ')}`;
  const text = `discarded ${count(open.length, 'dead letter')} of ${dlqTopic}${list}`;
  await printer.data(`${isJson ? JSON.stringify(document) : text}\n`);
}
