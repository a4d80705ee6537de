// @ts-check
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { orderDecoder, peerArguments, readAll } from './read.mjs';

/*
 * The least work that the job takes on kafkajs: decode, look up the user and the item, deduct, write a line, one
 * fdatasync per batch. No check for repeated ids, no reasons, no positions of its own, no recovery.
 */
const given = peerArguments();
const decode = orderDecoder();
const paid = new Map(Array.from({ length: given.users }, (_, i) => [`u${i}`, true]));
const stock = new Map(Array.from({ length: given.items }, (_, i) => [`i${i}`, 1_000_000_000]));
const log = openSync(join(given.folder, 'orders.jsonl'), 'a');

await readAll(given, (messages) => {
  let lines = '';
  for (const { value } of messages) {
    if (value === null) continue;
    const { order_id: id, user, items, created_at: at } = decode(value);
    if (paid.get(user) !== true) continue;
    let line = '';
    for (const { item, quantity } of items) {
      const onHand = stock.get(item);
      if (onHand === undefined || onHand < quantity) continue;
      stock.set(item, onHand - quantity);
      line += `${line === '' ? '' : ','}{"item":"${item}","quantity":${quantity}}`;
    }
    lines += `{"order_id":"${id}","user":"${user}","items":[${line}],"created_at":${at}}\n`;
  }
  writeSync(log, lines);
  fdatasyncSync(log);
});
closeSync(log);
