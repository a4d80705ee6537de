import type { ConnectionPool } from './kafkajs.ts';

/** As in kafkajs. */
const LOOK_EVERY_MS = 100;

/**
 * Requests time out by silence. Every byte that arrives starts the time-out of those under way again: a large answer
 * over a slow link is no silence. Nor is time in which this process did not run: what arrived meanwhile is still to be
 * read. kafkajs looks at its clock first, and a process that was held up for longer than a time-out gave up answers
 * that were there, closed the connection, and asked for them again.
 */
export function timeOnlySilence(pool: ConnectionPool): void {
  for (const connection of pool.pool) {
    const { requestQueue } = connection;
    const processData = connection.processData.bind(connection);
    connection.processData = (data) => {
      const now = Date.now();
      for (const request of requestQueue.inflight.values()) request.sentAt = now;
      processData(data);
    };
    requestQueue.scheduleRequestTimeoutCheck = () => {
      requestQueue.destroy();
      let lookedAt = Date.now();
      requestQueue.requestTimeoutIntervalId = setInterval(() => {
        const now = Date.now();
        // A clock that was set, forwards or back, is no silence either.
        const heldUpMs = now - lookedAt - LOOK_EVERY_MS;
        lookedAt = now;
        for (const request of requestQueue.inflight.values()) {
          request.sentAt = (request.sentAt ?? now) + (Math.abs(heldUpMs) > LOOK_EVERY_MS ? heldUpMs : 0);
          if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
        }
        if (!requestQueue.isConnected()) requestQueue.destroy();
      }, LOOK_EVERY_MS);
    };
  }
}
