import type { Command } from 'commander';
import { openStore } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { isLow, type Item } from '../../../domain/tables.ts';
import { confirm } from '../../ask.ts';
import { makeEdit, printJsonList, registerEdit } from '../../tables/edit-command.ts';
import { describe } from '../../help.ts';
import { nameOf, signedNumber, wholeNumber } from '../../parse.ts';
import { printNotice } from '../../output/store-notices.ts';
import { itemEntry } from '../../output/table-rows.ts';
import type { Column } from '../../output/table.ts';
import { printTable, extraColumns } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';

const BESIDE = 'Works beside a running consumer too, and counts from its next batch.';

export function register(program: Command, session: Session): void {
  const inventory = describe(program.command('inventory'), {
    summary: 'items and their stock',
    prose:
      'Adds, changes, removes and shows items. Accepted orders take from their stock. The items are kept in ' +
      'inventory.csv, which may be edited by hand as well.',
    examples: [
      ['orderctl inventory add --item book --quantity 10', 'add an item'],
      ['orderctl inventory update --item book --by +20', 'a delivery has come'],
      ['orderctl inventory show --low', 'what to order again'],
    ],
  });
  registerAdd(inventory, session);
  registerUpdate(inventory, session);
  registerRemove(inventory, session);
  registerEdit(inventory, session, 'inventory');
  registerShow(inventory, session);
}

interface DetailOptions {
  name?: string;
  price?: string;
  reorderLevel?: string;
}

function withDetails(command: Command): Command {
  return command
    .option('--name <TEXT>', 'what people call it')
    .option('--price <AMOUNT>', 'price of one, such as 12.50')
    .option('--reorder-level <N>', 'at or under this much it is low');
}

/** An empty text unsets, as an empty cell of the file does. */
function detailsOf(options: DetailOptions): {
  name?: string | null;
  price?: string | null;
  reorderLevel?: number | null;
} {
  const { name, price, reorderLevel } = options;
  const set = <T>(text: string, parse: (text: string) => T): T | null => (text === '' ? null : parse(text));
  return {
    ...(name === undefined ? {} : { name: set(name, String) }),
    ...(price === undefined ? {} : { price: set(price, String) }),
    ...(reorderLevel === undefined
      ? {}
      : { reorderLevel: set(reorderLevel, (text) => wholeNumber('--reorder-level', text)) }),
  };
}

function registerAdd(inventory: Command, session: Session): void {
  const add = describe(inventory.command('add'), {
    summary: 'add an item',
    prose: `Adds an item with the quantity on hand. Exit code 4 if the item exists already. ${BESIDE}`,
    examples: [
      ['orderctl inventory add --item book --quantity 10', 'ten books'],
      [
        'orderctl inventory add --item pen --quantity 50 --price 1.20 --reorder-level 5',
        'with a price, and low at five or fewer',
      ],
    ],
  })
    .requiredOption('--item <NAME>', 'name of the item')
    .requiredOption('--quantity <N>', 'on hand');
  withDetails(add).action(async (options: DetailOptions & { item: string; quantity: string }) => {
    const item = nameOf('--item', options.item);
    const quantity = wholeNumber('--quantity', options.quantity);
    await makeEdit(session, { kind: 'item.add', item, quantity, ...detailsOf(options) });
  });
}

function registerUpdate(inventory: Command, session: Session): void {
  const update = describe(inventory.command('update'), {
    summary: 'change the stock or the details of an item',
    prose:
      'Sets the stock with --quantity, or adjusts it with --by: give one of them, not both. Adjusting is safe ' +
      'while orders come in; below zero is refused (2). --name, --price and --reorder-level change the details; an ' +
      "empty text unsets one: --price ''. " +
      `Exit code 3 if there is no such item. ${BESIDE}\n\n` +
      'Under -o json the answer has "before" and "after", null where the item is not there: the quantity always; ' +
      'name, price and reorder_level where one of the two has it.',
    examples: [
      ['orderctl inventory update --item pen --quantity 100', 'counted: there are a hundred'],
      ['orderctl inventory update --item pen --by +20', 'twenty more have come'],
      ['orderctl inventory update --item pen --by -3', 'three were broken'],
      ['orderctl inventory update --item pen --price 1.30', 'a new price'],
      ["orderctl inventory update --item pen --reorder-level ''", 'no reorder level any more'],
    ],
  })
    .requiredOption('--item <NAME>', 'name of the item')
    .option('--quantity <N>', 'set the stock to this')
    .option('--by <+N|-N>', 'add this to the stock, or take it away');
  withDetails(update).action(
    async (options: DetailOptions & { item: string; quantity?: string; by?: string }) => {
      if (options.quantity !== undefined && options.by !== undefined) {
        throw new Failure('usage', '--quantity and --by exclude each other', {
          fix: '--quantity sets the stock, --by adjusts it: give one of them',
        });
      }
      const changes = {
        ...(options.quantity === undefined ? {} : { quantity: wholeNumber('--quantity', options.quantity) }),
        ...(options.by === undefined ? {} : { by: signedNumber('--by', options.by) }),
        ...detailsOf(options),
      };
      if (Object.keys(changes).length === 0) {
        throw new Failure('usage', 'there is nothing to change', {
          fix: 'add --quantity, --by, --name, --price or --reorder-level',
        });
      }
      await makeEdit(session, { kind: 'item.update', item: options.item, ...changes });
    },
  );
}

function registerRemove(inventory: Command, session: Session): void {
  describe(inventory.command('remove'), {
    summary: 'remove an item',
    prose:
      'Removes an item with its stock; what was decided for it stays. Asks first; --yes answers, and without a ' +
      `terminal it is needed. Exit code 3 if there is no such item. ${BESIDE}`,
    examples: [['orderctl inventory remove --item pen --yes', 'without a question']],
  })
    .requiredOption('--item <NAME>', 'name of the item')
    .option('--yes', 'do not ask')
    .action(async (options: { item: string; yes?: true }) => {
      const isSure = await confirm(`Remove item ${options.item} and its stock?`, options.yes === true);
      if (isSure) await makeEdit(session, { kind: 'item.remove', item: options.item });
      else session.printer.info('nothing changed');
    });
}

function registerShow(inventory: Command, session: Session): void {
  describe(inventory.command('show'), {
    summary: 'show all items, one, or those that are low',
    prose:
      'Shows the stock as it is after the last commit, in the order of inventory.csv. With --item only that one; ' +
      'exit code 3 if there is no such item. With --low only items at or under their reorder level.',
    examples: [
      ['orderctl inventory show', 'a table'],
      ['orderctl inventory show --low', 'what to order again'],
      ["orderctl inventory show -o json | jq '.items[].quantity'", 'for a script'],
    ],
  })
    .option('--item <NAME>', 'only this item')
    .option('--low', 'only items at or under their reorder level')
    .action(async (options: { item?: string; low?: true }) => {
      await showItems(session, options.item, options.low === true);
    });
}

async function showItems(session: Session, only: string | undefined, lowOnly: boolean): Promise<void> {
  const access = await openStore(session.settings.storage);
  await using reader = await access.read({
    onNotice: (notice) => printNotice(session.printer, notice),
  });
  const all = [...(await reader.items())];
  const named = only === undefined ? all : all.filter((row) => row.item === only);
  if (only !== undefined && named.length === 0) {
    throw new Failure('not_found', `item ${only} does not exist`, { fix: 'see: orderctl inventory show' });
  }
  const items = lowOnly ? named.filter(isLow) : named;
  if (session.isJson) {
    await printJsonList(session, 'items', items.map(itemEntry));
    return;
  }
  if (items.length === 0) {
    session.printer.info(
      named.length > 0
        ? 'no item is at or under its reorder level'
        : 'no items yet; add one with: orderctl inventory add --item book --quantity 10',
    );
    return;
  }
  const { yellow } = session.printer.dataColours;
  await printTable(session.printer, items, [...itemColumns(items, yellow), ...extraColumns(items)]);
}

/** Details that no item has would be empty columns. */
function itemColumns(items: readonly Item[], highlight: (text: string) => string): Column<Item>[] {
  const columns: Column<Item>[] = [
    { title: 'ITEM', cell: (row) => row.item },
    { title: 'QUANTITY', align: 'right', cell: (row) => String(row.quantity) },
  ];
  if (items.some((row) => row.name !== null)) columns.push({ title: 'NAME', cell: (row) => row.name ?? '' });
  if (items.some((row) => row.price !== null)) {
    columns.push({ title: 'PRICE', align: 'right', cell: (row) => row.price ?? '' });
  }
  if (items.some((row) => row.reorderLevel !== null)) {
    columns.push({
      title: 'REORDER LEVEL',
      align: 'right',
      cell: (row) => (row.reorderLevel === null ? '' : String(row.reorderLevel)),
    });
    columns.push({ title: 'LOW', cell: (row) => (isLow(row) ? highlight('low') : '') });
  }
  return columns;
}
