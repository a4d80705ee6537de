/** A port of this machine on which no process listens. */
export { freePort as closedPort } from '../../deploy/kafka/services.mjs';
