import type { Command } from 'commander';
import type { Circumstances } from '../../../app/what-if/again.ts';
import { systemClock } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import { collect } from '../../usage.ts';
import { printWhatIf, whatIfDocument } from './print.ts';
import { momentOf, nameOf, priceOf, userStatus, wholeNumber } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

interface Flags {
  stock?: string[];
  price?: string[];
  status?: string[];
  until?: string;
  timeZone?: string;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Decides every order of the history again, in its order, with another stock, price or status from the beginning ' +
      'on, and prints what would be different: orders accepted or rejected instead, stock at the end, when items would ' +
      'be sold out, revenue. Edits count as the differences that they made, and leave no less than 0. Orders that were ' +
      'sent again because they had been rejected are left out where they would not have been. In the checkout, the ' +
      'gateway answers as it did. Sales in stores and on line count in stock, as they were, and not in revenue. Nothing is changed. Without --stock, --price and --status nothing differs.',
    examples: [
      ['orderctl what-if --stock book=100', 'with 100 books in the beginning'],
      ['orderctl what-if --status bob=paid --until yesterday', 'had bob paid'],
    ],
  })
    .option('--stock <ITEM=N>', 'on hand in the beginning; may be repeated', collect)
    .option('--price <ITEM=P>', 'what it is sold for; may be repeated', collect)
    .option('--status <USER=S>', 'paid or unpaid; may be repeated', collect)
    .option('--until <TIME|SEQ>', 'as far as this time, or this commit')
    .option('--time-zone <NAME>', 'of a date (default: of this machine)')
    .action(async (flags: Flags) => {
      const { printer, isJson } = session;
      const circumstances = circumstancesOf(flags);
      const until =
        flags.until === undefined
          ? null
          : momentOf('--until', flags.until, flags.timeZone, systemClock.now());
      const { whatIf } = await import('../../../app/what-if/what-if.ts');
      const found = await whatIf(await openStoreOf(session), circumstances, until);
      for (const name of found.unseen.items)
        printer.warn(`no order and no edit has an item ${name}: nothing follows from supposing it`);
      for (const name of found.unseen.users)
        printer.warn(`no order and no edit has a user ${name}: nothing follows from supposing it`);
      if (isJson) await printer.data(`${JSON.stringify(whatIfDocument(found, circumstances))}\n`);
      else await printWhatIf(printer, found);
    });
}

function circumstancesOf(flags: Flags): Circumstances {
  return {
    stock: pairs('--stock', flags.stock, 'book=100', (text) => wholeNumber('--stock', text)),
    prices: pairs('--price', flags.price, 'book=12.50', (text) => priceOf('--price', text)),
    statuses: pairs('--status', flags.status, 'bob=paid', (text) => userStatus('--status', text)),
  };
}

/** @throws Failure invalid_value */
function pairs<T>(
  flag: string,
  given: readonly string[] = [],
  example: string,
  parse: (text: string) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const text of given) {
    const at = text.indexOf('=');
    const fix = `for example ${flag} ${example}`;
    if (at === -1) throw new Failure('invalid_value', `${flag}: ${JSON.stringify(text)} has no "="`, { fix });
    const of = nameOf(flag, text.slice(0, at));
    if (found.has(of)) throw new Failure('invalid_value', `${flag} has ${of} twice`, { fix });
    found.set(of, parse(text.slice(at + 1)));
  }
  return found;
}
