/* What attackers do, each exported function in a process of its own. They come from several
 * addresses unless told otherwise, as a limit per address is not what has to stop them. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { handshake } from '../support/raw_client.js';
import { withResolvers } from '../support/wait.js';

const ADDRESSES = 8;
const STEP = 10;

export const COMPRESSED = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/* ---- tools ---- */

/* The gateway ends each of these sooner or later, and that is no error here. */
function dial({ target, addresses = ADDRESSES }, i, options = {}) {
  const socket = connect({ ...target, localAddress: `127.0.0.${2 + (i % addresses)}`, noDelay: true, ...options });
  socket.on('error', () => {});
  return socket;
}

/* Calls `act(i)` for each i below `count`, `rate` of them a second, and gives what they gave. */
async function paced(count, rate, act) {
  const results = [];
  const began = performance.now();
  while (results.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - began + STEP) / 1000) * rate));
    while (results.length < due) {
      const result = Promise.resolve(act(results.length));
      result.catch(() => {}); // it is looked at in the end
      results.push(result);
    }
    await delay(STEP);
  }
  return Promise.all(results);
}

function closed(socket) {
  const { promise, resolve } = withResolvers();
  socket.on('close', resolve);
  return promise;
}

/* The status of the answer that comes before the connection is over; 0: none. */
async function status(socket) {
  let answer = '';
  socket.on('data', bytes => (answer += bytes.toString('latin1', 0, 20)));
  await closed(socket);
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0);
}

function tally(values) {
  const counts = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

/* A WebSocket, which reads nothing more once it is one. */
function open(place, i, { headers, target = '/ws', ...options } = {}) {
  const { promise, resolve, reject } = withResolvers();
  const socket = dial(place, i, options);
  socket.write(handshake({ target, headers: { Cookie: place.cookie, ...headers } }));
  socket.once('data', bytes => {
    socket.pause();
    if (bytes.toString('latin1', 0, 12) === 'HTTP/1.1 101') resolve(socket);
    else reject(new Error(bytes.toString('latin1')));
  });
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('closed before it was open')));
  return promise;
}

/* ---- before the handshake is complete ---- */

/* Holds `count` sockets, and opens another where one is closed, if `again`. Each
 * says `head`, and then a byte every second if that is not empty. */
export async function holdRequests({ count, rate, seconds, head = '', again = true, ...place }) {
  const sockets = [];
  let opened = 0, over = !again;
  const hold = i => {
    sockets[i] = dial(place, i);
    opened += 1;
    if (head.length) sockets[i].write(head);
    sockets[i].on('data', () => {});
    sockets[i].on('close', () => over || hold(i));
  };
  await paced(count, rate, hold);
  const drip = setInterval(() => head.length && sockets.forEach(socket => socket.write('x')), 1000);
  await delay(seconds * 1000);
  clearInterval(drip);
  over = true;
  const held = sockets.filter(socket => socket.readyState === 'open').length;
  for (const socket of sockets) socket.destroy();
  return { opened, held };
}

/* Each sends one of the requests and waits for the end: { 431: 5000 }. */
export async function request({ requests, count = requests.length, rate, ...place }) {
  return tally(await paced(count, rate, i => {
    const socket = dial(place, i);
    socket.write(requests[i % requests.length]);
    return status(socket);
  }));
}

export function sendGarbage({ size, ...place }) {
  return request({ ...place, requests: Array.from({ length: 64 }, () => randomBytes(size)) });
}

/* Each sends one of the requests, and is gone without waiting. */
export async function reset({ requests, count, rate, ...place }) {
  await paced(count, rate, i => {
    const socket = dial(place, i);
    const bytes = requests[i % requests.length];
    socket.on('connect', () => {
      if (!bytes.length) socket.resetAndDestroy();
      else socket.write(bytes, () => socket.resetAndDestroy());
    });
    return closed(socket);
  });
}

/* Each sends one of the requests, ends its own side, and leaves the other open until it is stopped. */
export async function endOneSide({ requests, count, rate, ...place }, { ready, stopped }) {
  await paced(count, rate, i => {
    const socket = dial(place, i, { allowHalfOpen: true });
    socket.on('data', () => {});
    socket.end(requests[i % requests.length]);
  });
  ready();
  await stopped;
}

/* ---- as WebSockets ---- */

/* Opens them, has each send `first`, then `bytes` so often, reads nothing meanwhile, and ends when all
 * of it is sent or the connection is gone; `failed`: not before the gateway has ended it, which may not
 * have read yet what the kernel took. { sent }: bytes that were taken off its hands. */
export async function flood({ count, rate, headers, first, bytes, times = 1, failed = false, ...place }) {
  const sockets = await paced(count, rate, async i => {
    const socket = await open(place, i, { headers });
    const over = closed(socket);
    if (first) socket.write(first);
    for (let n = 0; n < times && !socket.destroyed; n++) {
      const { promise, resolve } = withResolvers();
      socket.write(bytes, resolve);
      await Promise.race([promise, over]);
    }
    if (failed) {
      socket.resume();
      await over;
    }
    return socket;
  });
  return { sent: sockets.reduce((sum, socket) => sum + socket.bytesWritten - socket.writableLength, 0) };
}

/* Opens `count`, has all send one of the messages at once, and waits until each has been closed; so
 * many rounds of it. */
export async function bomb({ count, rounds, messages, ...place }) {
  for (let round = 0; round < rounds; round++) {
    const sockets = await paced(count, 2000, i => open(place, i, { headers: COMPRESSED }));
    await Promise.all(sockets.map((socket, i) => {
      socket.write(messages[i % messages.length]);
      socket.resume();
      return closed(socket);
    }));
  }
}

/* Opens them, has each send `bytes` to be closed for, and never ends its own side. */
export async function ignoreClose({ count, rate, bytes, ...place }, { ready, stopped }) {
  const sockets = await paced(count, rate, i => open(place, i, { allowHalfOpen: true }));
  for (const socket of sockets) socket.write(bytes);
  ready();
  await stopped;
}

/* Opens them, and reads nothing until it is stopped. All are replaced in turn, each second one half. */
export async function neverRead({ count, rate, channel, ...place }, { ready, stopped }) {
  const begin = i => open(place, i, { target: `/ws?channel=${channel}` });
  const sockets = await paced(count, rate, begin);
  let over = false;
  stopped.then(() => (over = true));
  ready();
  for (let i = 0; !over; i = (i + 1) % count) {
    sockets[i].destroy();
    sockets[i] = await begin(i);
    await delay(2000 / count);
  }
}
