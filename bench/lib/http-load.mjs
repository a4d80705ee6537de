// @ts-check
import { request, Agent } from 'node:http';
import { percentile } from './measure.mjs';

/**
 * @typedef {object} Answers
 * @property {number} rate answers a second
 * @property {number} p50 milliseconds
 * @property {number} p99
 * @property {number} failed answers with another status than the expected one
 */

/**
 * That many clients, each with one request at a time.
 *
 * @param {string} url
 * @param {{clients: number, seconds: number, warmUpSeconds: number, status: number}} load
 * @param {(n: number) => {method: string, path: string, body?: string}} next
 * @returns {Promise<Answers>}
 */
export async function closedLoad(url, { clients, seconds, warmUpSeconds, status }, next) {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  const from = performance.now() + warmUpSeconds * 1_000;
  const until = from + seconds * 1_000;
  /** @type {number[]} */
  const took = [];
  let failed = 0;
  let n = 0;
  const client = async () => {
    while (performance.now() < until) {
      const at = performance.now();
      const found = await call(agent, url, next((n += 1)));
      if (found !== status) failed += 1;
      if (at >= from) took.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
  return { ...summary(took), rate: took.length / seconds, failed };
}

/**
 * Sends each request at the moment it is due, whether or not earlier ones were answered: time spent waiting counts.
 *
 * @param {string} url
 * @param {{perSecond: number, seconds: number, warmUpSeconds: number, status: number}} load
 * @param {(n: number) => {method: string, path: string, body?: string}} next
 * @returns {Promise<Answers>}
 */
export async function openLoad(url, { perSecond, seconds, warmUpSeconds, status }, next) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const start = performance.now();
  const count = perSecond * (warmUpSeconds + seconds);
  /** @type {number[]} */
  const took = [];
  let failed = 0;
  /** @type {Promise<void>[]} */
  const open = [];
  for (let n = 0; n < count; n += 1) {
    const due = start + (n / perSecond) * 1_000;
    while (performance.now() < due) await new Promise((resolve) => setTimeout(resolve, 1));
    open.push(
      call(agent, url, next(n)).then((found) => {
        if (found !== status) failed += 1;
        if (n >= perSecond * warmUpSeconds) took.push(performance.now() - due);
      }),
    );
  }
  await Promise.all(open);
  agent.destroy();
  return { ...summary(took), rate: perSecond, failed };
}

/** @param {number[]} took */
function summary(took) {
  const sorted = took.sort((a, b) => a - b);
  return { p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/**
 * @param {Agent} agent
 * @param {string} url
 * @param {{method: string, path: string, body?: string}} what
 * @returns {Promise<number>} the status; 0 when there was no answer
 */
function call(agent, url, { method, path, body }) {
  return new Promise((resolve) => {
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(`${url}${path}`, { agent, method, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', () => resolve(0));
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}
