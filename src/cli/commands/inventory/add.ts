import type { Command } from 'commander';
import { BESIDE, makeEdit } from '../../tables/edit-command.ts';
import { WHY, type WhyFlag } from '../../tables/why.ts';
import { describe } from '../../help.ts';
import { nameOf, wholeNumber } from '../../parse.ts';
import { nameNeeded, takingName } from '../../named.ts';
import type { Session } from '../../session.ts';
import { detailsOf, withDetails, type DetailOptions } from './details.ts';

export function registerAdd(inventory: Command, session: Session): void {
  const add = takingName(
    describe(inventory.command('add'), {
      summary: 'add an item',
      prose: `Adds an item and its quantity on hand. Exit code 4 if the item already exists. ${BESIDE}`,
      examples: [
        ['orderctl inventory add --item book --quantity 10', 'ten books'],
        [
          'orderctl inventory add --item pen --quantity 50 --price 1.20 --reorder-level 5',
          'with a price and a reorder level',
        ],
      ],
    }),
    '--item',
    'name of the item',
  ).requiredOption('--quantity <N>', 'quantity on hand');
  withDetails(add)
    .option(...WHY)
    .action(
      async (
        given: string | undefined,
        options: DetailOptions & WhyFlag & { item?: string; quantity: string },
      ) => {
        const item = nameOf('--item', nameNeeded('--item', given, options.item));
        const quantity = wholeNumber('--quantity', options.quantity);
        await makeEdit(session, { kind: 'item.add', item, quantity, ...detailsOf(options) }, options);
      },
    );
}
