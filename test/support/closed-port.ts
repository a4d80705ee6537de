/** A port of this machine on which nobody listens. */
export { freePort as closedPort } from '../../deploy/kafka/services.mjs';
