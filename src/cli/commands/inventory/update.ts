import type { Command } from 'commander';
import { Failure } from '../../../domain/failure.ts';
import { BESIDE, makeEdit } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe } from '../../help.ts';
import { signedNumber, wholeNumber } from '../../parse.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';
import { detailsOf, withDetails, type DetailOptions } from './details.ts';

export function registerUpdate(inventory: Command, session: Session): void {
  const update = takingName(
    describe(inventory.command('update'), {
      summary: 'change the stock or the details of an item',
      prose:
        'Sets the stock with --quantity, or adjusts it with --by: give one of them, not both. Adjusting is safe ' +
        'while orders come in; below zero is refused (2). --name, --category, --price and --reorder-level change the details; an ' +
        "empty text unsets one: --price ''. " +
        `Exit code 3 if there is no such item. ${BESIDE}\n\n` +
        'Under -o json the answer has "before" and "after", null where the item is not there: the quantity always; ' +
        'name, category, price and reorder_level where one of the two has it.',
      examples: [
        ['orderctl inventory update --item pen --quantity 100', 'counted: there are a hundred'],
        ['orderctl inventory update --item pen --by -3', 'three were broken'],
      ],
    }),
    '--item',
    'name of the item',
  )
    .option('--quantity <N>', 'set the stock to this')
    .option('--by <+N|-N>', 'add this to the stock, or take it away');
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
            fix: '--quantity sets the stock, --by adjusts it: give one of them',
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
          throw new Failure('usage', 'there is nothing to change', {
            fix: 'add --quantity, --by, --name, --category, --price or --reorder-level',
          });
        }
        await makeEdit(session, { kind: 'item.update', item, ...changes }, options);
      },
    );
}
