// @ts-check
import { peerArguments, readAll } from './read.mjs';

/* The lower bound for kafkajs alone: fetches and parses batches, and does nothing with them. */
await readAll(peerArguments(), () => undefined);
