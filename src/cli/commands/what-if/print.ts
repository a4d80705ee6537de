import type { Circumstances } from '../../../app/what-if/again.ts';
import type { OtherOutcome } from '../../../app/what-if/outcome.ts';
import type { WhatIf } from '../../../app/what-if/what-if.ts';
import type { WhatIf as WhatIfDocument } from '../../../documents/reports/what-if.ts';
import { isoSeconds, isoTime } from '../../../domain/iso-time.ts';
import { amountFrom } from '../../../domain/orders/money.ts';
import type { Printer } from '../../output/printer.ts';
import { printTable } from '../../output/print-table.ts';
import type { Column } from '../../output/table.ts';
import { count } from '../../output/text.ts';

/** Rows printed as text; `-o json` has more. */
const SHOWN = 20;

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : isoTime(ms));

const timeOrNever = (ms: number | null): string => (ms === null ? 'never' : isoSeconds(ms));

export function whatIfDocument(found: WhatIf, { stock, prices, statuses }: Circumstances): WhatIfDocument {
  const { decided, counts, unknown, orders, items, revenue, unpriced, reached } = found;
  return {
    circumstances: {
      stock: Object.fromEntries(stock),
      price: Object.fromEntries(prices),
      status: Object.fromEntries(statuses),
    },
    until: { seq: reached.seq, at: timeOrNull(reached.at) },
    decided,
    accepted_instead: counts.accepted,
    rejected_instead: counts.rejected,
    not_sent: counts.not_sent,
    rejected_otherwise: counts.rejected_otherwise,
    unknown,
    orders: orders.map(({ orderId, flow, was, wouldBe, detail, decidedAt }) => ({
      order_id: orderId,
      flow,
      was,
      would_be: wouldBe,
      detail,
      decided_at: isoTime(decidedAt),
    })),
    items: items.map(({ item, quantity, ranOutAt }) => ({
      item,
      quantity: { was: quantity.was, would_be: quantity.wouldBe },
      sold_out_at: { was: timeOrNull(ranOutAt.was), would_be: timeOrNull(ranOutAt.wouldBe) },
    })),
    revenue: { was: amountFrom(revenue.was), would_be: amountFrom(revenue.wouldBe) },
    units_without_price: { was: unpriced.was, would_be: unpriced.wouldBe },
  };
}

const ORDER_COLUMNS: readonly Column<OtherOutcome>[] = [
  { title: 'ORDER', isWhole: true, cell: ({ orderId }) => orderId },
  { title: 'WAS', isWhole: true, cell: ({ was }) => was },
  {
    title: 'WOULD BE',
    isWhole: true,
    cell: ({ wouldBe }) => (wouldBe === 'not_sent' ? 'not sent' : wouldBe),
  },
  { title: 'WHY NOT', wraps: true, cell: ({ detail }) => detail ?? '' },
];

const ITEM_COLUMNS: readonly Column<WhatIf['items'][number]>[] = [
  { title: 'ITEM', cell: ({ item }) => item },
  { title: 'LEFT', align: 'right', cell: ({ quantity }) => String(quantity.was ?? '') },
  { title: 'WOULD BE', align: 'right', cell: ({ quantity }) => String(quantity.wouldBe ?? '') },
  { title: 'SOLD OUT', isWhole: true, cell: ({ ranOutAt }) => timeOrNever(ranOutAt.was) },
  { title: 'WOULD BE', isWhole: true, cell: ({ ranOutAt }) => timeOrNever(ranOutAt.wouldBe) },
];

export async function printWhatIf(printer: Printer, found: WhatIf): Promise<void> {
  const { decided, counts, unknown, orders, items, revenue, unpriced, reached } = found;
  const { accepted, rejected, not_sent: notSent, rejected_otherwise: otherwise } = counts;
  const others = accepted + rejected + notSent;
  const isSame = revenue.was === revenue.wouldBe && items.length === 0 && others + otherwise + unknown === 0;
  const until = reached.seq === null ? '' : `, up to commit ${reached.seq}`;
  await printer.text(
    isSame
      ? `nothing would be different: ${count(decided, 'order')}${until}\n`
      : `of ${count(decided, 'order')}${until}, ${accepted} would be accepted instead, ${rejected} rejected instead, ${notSent} not sent\n`,
  );
  if (isSame) return;
  if (orders.length > 0) {
    await printer.data('\n');
    await printTable(printer, orders.slice(0, SHOWN), ORDER_COLUMNS);
    if (others > SHOWN) printer.info(`and ${others - SHOWN} more`);
  }
  if (items.length > 0) {
    await printer.data('\n');
    await printTable(printer, items.slice(0, SHOWN), ITEM_COLUMNS);
    if (items.length > SHOWN) printer.info(`and ${items.length - SHOWN} more items`);
  }
  await printer.data(`\nrevenue ${amountFrom(revenue.wouldBe)} instead of ${amountFrom(revenue.was)}\n`);
  if (unpriced.was + unpriced.wouldBe > 0) {
    printer.info(
      `${count(unpriced.wouldBe, 'unit')} sold without a price (before: ${unpriced.was}) add nothing to the revenue`,
    );
  }
  if (unknown > 0) {
    printer.info(
      `${count(unknown, 'order')} of the checkout would not be rejected, but whether the payment would succeed is unknown; not counted`,
    );
  }
}
