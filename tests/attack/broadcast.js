/* A broadcast: its publisher, and a client that reads all of it, in a process of their own. */
import { createClient } from 'redis';
import WebSocket from 'ws';
import { opened } from '../support/browser.js';
import { paced } from '../support/pace.js';
import { until } from '../support/wait.js';

function readAll(url, cookie, tally) {
  const socket = new WebSocket(url, { headers: { Cookie: cookie }, perMessageDeflate: false });
  socket.on('message', bytes => {
    if (bytes.readUInt32BE(0) !== tally.received) tally.wrong += 1;
    tally.received += 1;
  });
  socket.on('close', () => (tally.closed += 1));
  return opened(socket);
}

/* Publishes `rate` payloads of `size` bytes a second. { published, received, wrong, closed }. */
export async function broadcast({ url, cookie, redisUrl, channel, size, rate, seconds }) {
  const tally = { published: 0, received: 0, wrong: 0, closed: 0 };
  await readAll(`${url}?channel=${channel}`, cookie, tally);
  const publisher = await createClient({ url: redisUrl }).connect();
  const payload = Buffer.alloc(size);
  await paced(rate * seconds, rate, async n => {
    payload.writeUInt32BE(n);
    await publisher.publish(channel, payload);
    tally.published += 1;
  });
  await until(() => tally.received === tally.published || tally.closed, { within: 5000 }).catch(() => {});
  await publisher.close();
  return tally;
}
