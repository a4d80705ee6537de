import type { ConnectionPool } from './kafkajs.ts';

/** As in kafkajs. */
const LOOK_EVERY_MS = 100;

/**
 * Requests time out by silence. Every byte that arrives starts the time-out of those under way again: a large answer
 * over a slow link is no silence. Nor is time in which this process was held up, if an answer arrived in it: kafkajs
 * looks at its clock before it reads, and a process that was held up for longer than a time-out gave up answers that
 * were there, closed the connection, and asked for them again.
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
      let isReadFirst = false;
      requestQueue.requestTimeoutIntervalId = setInterval(() => {
        const now = Date.now();
        const lateMs = now - lookedAt - LOOK_EVERY_MS;
        lookedAt = now;
        // What has arrived is read between this look and the next.
        isReadFirst = lateMs > LOOK_EVERY_MS && !isReadFirst;
        for (const request of isReadFirst ? [] : requestQueue.inflight.values()) {
          // A clock that was set back makes no wait longer.
          if (lateMs < -LOOK_EVERY_MS) request.sentAt = (request.sentAt ?? now) + lateMs;
          if (now - (request.sentAt ?? now) > request.requestTimeout) request.timeoutRequest();
        }
        if (!requestQueue.isConnected()) requestQueue.destroy();
      }, LOOK_EVERY_MS);
    };
  }
}
