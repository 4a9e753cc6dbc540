/* A broadcast, with one who reads all of it: publisher and reader, in a process of their own. */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import WebSocket from 'ws';
import { until, withResolvers } from '../support/wait.js';

const STEP = 10;

function readAll(url, cookie, tally) {
  const { promise, resolve, reject } = withResolvers();
  const socket = new WebSocket(url, { headers: { Cookie: cookie }, perMessageDeflate: false });
  socket.on('message', bytes => {
    if (bytes.readUInt32BE(0) !== tally.received) tally.wrong += 1;
    tally.received += 1;
  });
  socket.on('close', () => (tally.closed += 1));
  socket.on('open', resolve);
  socket.on('error', reject);
  return promise;
}

/* Publishes `rate` payloads of `size` bytes a second. { published, received, wrong, closed }. */
export async function broadcast({ url, cookie, redisUrl, channel, size, rate, seconds }) {
  const tally = { published: 0, received: 0, wrong: 0, closed: 0 };
  await readAll(`${url}?channel=${channel}`, cookie, tally);
  const publisher = await createClient({ url: redisUrl }).connect();
  const payload = Buffer.alloc(size);
  const began = performance.now();
  for (const total = rate * seconds; tally.published < total;) {
    const due = Math.min(total, Math.ceil(((performance.now() - began) / 1000) * rate));
    for (; tally.published < due; tally.published++) {
      payload.writeUInt32BE(tally.published);
      await publisher.publish(channel, payload);
    }
    await delay(STEP);
  }
  await until(() => tally.received === tally.published || tally.closed, { within: 5000 }).catch(() => {});
  await publisher.close();
  return tally;
}
