// @ts-check
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { HOST } from './services.mjs';

/**
 * Whether the broker lists itself as available: its port opens seconds earlier. Requested by Metadata v1 for no topics
 * (https://kafka.apache.org/protocol#The_Messages_Metadata).
 *
 * @param {import('./broker.mjs').KafkaNode} node
 * @param {import('./security.mjs').Security} [security]
 * @returns {Promise<boolean>}
 */
export function brokerAnswers(node, security) {
  const request = Buffer.from([
    0,
    0,
    0,
    14, // size of what follows
    0,
    3, // Metadata
    0,
    1, // version
    0,
    0,
    0,
    1, // correlation id
    0xff,
    0xff, // client id: null
    0,
    0,
    0,
    0, // no topics
  ]);
  return new Promise((done, fail) => {
    const socket = open(node, security, () => socket.write(request));
    let answer = Buffer.alloc(0);
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      answer = Buffer.concat([answer, data]);
      // size, correlation id, number of brokers
      if (answer.length >= 12) {
        done(answer.readInt32BE(8) > 0);
        socket.destroy();
      }
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('closed')));
  });
}

/**
 * Connects as a client, or as one of the brokers where clients must sign in.
 *
 * @param {import('./broker.mjs').KafkaNode} node
 * @param {import('./security.mjs').Security | undefined} security
 * @param {() => void} onOpen
 * @returns {import('node:net').Socket}
 */
function open({ port, peers }, security, onOpen) {
  if (security === undefined) return connect(port, HOST, onOpen);
  const pem = readFileSync(security.broker);
  const options = {
    host: HOST,
    port: peers?.port ?? port,
    ca: readFileSync(security.ca),
    key: pem,
    cert: pem,
  };
  return connectTls(options, onOpen);
}
