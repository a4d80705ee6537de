import type { Command } from 'commander';
import { Failure } from '../../../domain/failure.ts';
import { NAMED_DETAILS } from '../../../domain/tables.ts';
import { BESIDE, makeEdit } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe } from '../../help.ts';
import { signedNumber, wholeNumber } from '../../parse.ts';
import { nameNeeded, takingName } from '../../named.ts';
import { listed } from '../../output/text.ts';
import type { Session } from '../../session.ts';
import { DETAIL_FLAGS, detailsOf, withDetails, type DetailOptions } from './details.ts';

const COLUMNS = NAMED_DETAILS.map(({ column }) => column);

export function registerUpdate(inventory: Command, session: Session): void {
  const update = takingName(
    describe(inventory.command('update'), {
      summary: 'change the stock or the details of an item',
      prose:
        'Sets the stock with --quantity, or adjusts it with --by, but not both. Adjusting is safe while orders arrive; ' +
        `a result below zero is refused (2). ${listed(DETAIL_FLAGS, 'and')} change details; an empty ` +
        "text unsets one: --price ''. " +
        `Exit code 3 if the item does not exist. ${BESIDE}\n\n` +
        `With -o json the answer has "before" and "after", with the quantity, and ${listed(COLUMNS, 'and')} if ` +
        'either has it.',
      examples: [
        ['orderctl inventory update --item pen --quantity 100', 'set the stock after a count'],
        ['orderctl inventory update --item pen --by -3', 'subtract three broken ones'],
      ],
    }),
    '--item',
    'name of the item',
  )
    .option('--quantity <N>', 'set the stock to this')
    .option('--by <+N|-N>', 'add this to the stock, or subtract it');
  withDetails(update)
    .option(...WHY)
    .action(
      async (
        given: string | undefined,
        options: DetailOptions & WhyFlag & { item?: string; quantity?: string; by?: string },
      ) => {
        const item = nameNeeded('--item', given, options.item);
        if (options.quantity !== undefined && options.by !== undefined) {
          throw new Failure('usage', '--quantity and --by cannot be combined', {
            fix: 'use --quantity to set the stock, or --by to adjust it',
          });
        }
        const changes = {
          ...(options.quantity === undefined
            ? {}
            : { quantity: wholeNumber('--quantity', options.quantity) }),
          ...(options.by === undefined ? {} : { by: signedNumber('--by', options.by) }),
          ...detailsOf(options),
        };
        if (Object.keys(changes).length === 0) {
          throw new Failure('usage', 'nothing to change', {
            fix: `add ${listed(['--quantity', '--by', ...DETAIL_FLAGS], 'or')}`,
          });
        }
        await makeEdit(session, { kind: 'item.update', item, ...changes }, options);
      },
    );
}
