import { followAlerts, type Alert } from '../../app/live/alert-tail.ts';
import { OrderMoves } from '../../app/live/order-moves.ts';
import { stockChangesIn } from '../../app/live/stock-changes.ts';
import { decisionsIn } from '../../app/orders/decision-order.ts';
import { systemClock } from '../../compose.ts';
import {
  alertDocument,
  decisionsDocument,
  lagDocument,
  statusesDocument,
  stockDocument,
} from '../../documents/write/live.ts';
import { overviewDocument } from '../../documents/write/overview.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { Codec } from '../../ports/codec.ts';
import type { OpenShop } from './open-shop.ts';

/** Publishes what happens in a shop, until the signal aborts. */
export async function followShop(opened: OpenShop, names: TopicNames, signal: AbortSignal): Promise<void> {
  const { shop, broker, codecOf } = opened;
  const { feed } = shop.live;
  const onGap = (): void => feed.publishGap();
  const codec = async () => (await codecOf(ALERT)) as Codec<Alert>;
  await Promise.all([
    followHistory(opened, signal),
    followAlerts({ broker, codec, clock: systemClock, topic: topicOf(ALERT, names) }, signal, {
      onAlerts: (alerts) => feed.publish('alerts', { alerts: alerts.map(alertDocument) }),
      onGap,
    }),
    followOverview(opened, signal),
  ]);
}

async function followHistory({ shop, catalogue }: OpenShop, signal: AbortSignal): Promise<void> {
  const { feed } = shop.live;
  const moves = new OrderMoves(shop.view);
  await shop.watch.follow(shop.access, systemClock, signal, {
    onLines: async (lines) => {
      catalogue.note(lines);
      const decided = decisionsIn(lines);
      if (decided.length > 0) feed.publish('decisions', decisionsDocument(decided));
      const moved = await moves.in(lines);
      if (moved.length > 0) feed.publish('statuses', statusesDocument(moved));
      const stock = stockChangesIn(lines);
      if (stock.length > 0) feed.publish('stock', stockDocument(stock));
    },
    onGap: () => feed.publishGap(),
  });
}

/** Publishes the overview and the lag. Both are snapshots: a client that reconnects needs only the latest. */
async function followOverview({ shop, overview }: OpenShop, signal: AbortSignal): Promise<void> {
  const { feed } = shop.live;
  let known = '';
  await overview.follow(signal, (seen) => {
    const document = overviewDocument(seen, shop.access.name);
    feed.publish('overview', document, false);
    const lag = lagDocument(document);
    const text = JSON.stringify(lag.processors);
    if (text !== known) feed.publish('lag', lag, false);
    known = text;
  });
}
