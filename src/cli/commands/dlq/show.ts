import type { Command } from 'commander';
import { openInspector } from '../../../compose.ts';
import { parseDeadLetterId } from '../../../domain/topics/dead-letter-id.ts';
import { registryConnection } from '../../kafka/connection.ts';
import { describe } from '../../help.ts';
import { openForRun } from '../../kafka/open.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';
import { IDS } from './filter.ts';
import { scopeOf, takingScope, type ScopeFlags } from './scope.ts';

export function registerShow(dlq: Command, session: Session): void {
  const command = describe(dlq.command('show'), {
    summary: 'show one dead letter',
    prose:
      'Shows the headers of a dead letter, its key and value in hex, the decoded value up to the byte where decoding ' +
      'fails, and what would happen if it were read again now. Exit code 3 if it does not exist.\n\n' +
      IDS,
    examples: [
      ['orderctl dlq show 0:17', 'the record at offset 17 of partition 0'],
      ['orderctl dlq show orders.validated.dlq:0:3', 'a record of another topic'],
    ],
  });
  takingScope(command)
    .argument('<ID>', 'id, as shown by "dlq list"')
    .action(async (text: string, flags: ScopeFlags) => {
      const { settings, printer, isJson } = session;
      const id = parseDeadLetterId(text);
      const [{ showDeadLetter }, { shownDocument, shownText }] = await Promise.all([
        import('../../../app/dlq/show.ts'),
        import('../../output/dead-letters/show.ts'),
      ]);
      const { broker, codecOf } = await openForRun(session, { register: false });
      const scope = await scopeOf(session, flags, [id]);
      const names = settings.topics;
      const inspector = await openInspector(registryConnection(session.resolved));
      const access = await openStoreOf(session);
      const shown = await showDeadLetter({ access, broker, codecOf, names, inspector }, { scope, id });
      await (isJson
        ? printer.data(`${JSON.stringify(shownDocument(shown))}\n`)
        : printer.text(shownText(shown)));
    });
}
