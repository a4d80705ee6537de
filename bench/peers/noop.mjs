// @ts-check
import { peerArguments, readAll } from './read.mjs';

/* What kafkajs alone takes: batches are fetched and parsed, and nothing is done with them. */
await readAll(peerArguments(), () => undefined);
