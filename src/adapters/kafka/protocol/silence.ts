import type { ConnectionPool } from './kafkajs.ts';

/** The same interval as in kafkajs. */
const CHECK_EVERY_MS = 100;

/**
 * Makes requests time out by silence. Every byte that arrives restarts the timeout of all requests under way: a large
 * answer over a slow link is not silence. Neither is time in which this process was suspended, if an answer arrived
 * meanwhile: kafkajs checks the clock before it reads, so a process suspended for longer than a timeout would give up
 * answers that had arrived, close the connection, and request them again.
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
      let checkedAt = Date.now();
      let isReadFirst = false;
      requestQueue.requestTimeoutIntervalId = setInterval(() => {
        const now = Date.now();
        const lateMs = now - checkedAt - CHECK_EVERY_MS;
        checkedAt = now;
        // Bytes that have arrived are read between this check and the next.
        isReadFirst = lateMs > CHECK_EVERY_MS && !isReadFirst;
        for (const request of isReadFirst ? [] : requestQueue.inflight.values()) {
          // A clock that was set back must not lengthen a wait.
          if (lateMs < -CHECK_EVERY_MS) request.sentAt = (request.sentAt ?? now) + lateMs;
          if (now - (request.sentAt ?? now) > request.requestTimeout) request.timeoutRequest();
        }
        if (!requestQueue.isConnected()) requestQueue.destroy();
      }, CHECK_EVERY_MS);
    };
  }
}
