/* The first message of a TLS client, as Node's OpenSSL sends it: one record. */
import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { withResolvers } from './wait.js';

export async function clientHello(options = {}) {
  const { promise, resolve } = withResolvers();
  const server = createServer(socket => socket.once('data', bytes => {
    socket.destroy();
    resolve(bytes);
  }));
  await new Promise(listening => server.listen(0, '127.0.0.1', listening));
  const client = connectTls({ socket: connect(server.address().port, '127.0.0.1'), servername: 'localhost', ...options });
  client.on('error', () => {});
  const bytes = await promise;
  client.destroy();
  server.close();
  return bytes;
}
