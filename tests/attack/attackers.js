/* What attackers do; each exported function runs in a process of its own. By default they come from several
 * addresses, so that it is not the limits per address that stop them. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { paced as pacedInTurn } from '../support/pace.js';
import { handshake } from '../support/raw_client.js';
import { withResolvers } from '../support/wait.js';

const ADDRESSES = 8;

export const COMPRESSED = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

/* ---- tools ---- */

/* The gateway closes all of these sooner or later, which is no error here. */
function dial({ target, addresses = ADDRESSES }, i, options = {}) {
  const socket = connect({ ...target, localAddress: `127.0.0.${2 + (i % addresses)}`, noDelay: true, ...options });
  socket.on('error', () => {});
  return socket;
}

/* Starts `act(i)` for each i below `count`, `rate` times a second, without waiting for one to end before the
 * next begins. Gives all results. */
async function paced(count, rate, act) {
  const results = [];
  await pacedInTurn(count, rate, i => {
    const result = Promise.resolve(act(i));
    result.catch(() => {}); // Promise.all reports it
    results.push(result);
  });
  return Promise.all(results);
}

function closed(socket) {
  const { promise, resolve } = withResolvers();
  socket.on('close', resolve);
  return promise;
}

/* The status of the response that comes before the connection ends; 0: none. */
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

/* Opens a WebSocket that stops reading once it is open. */
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

/* Holds `count` sockets and, if `again`, replaces each one that the gateway closes. Each sends `head` and, if
 * that is not empty, another byte every second. */
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

/* Each sends one of the requests and waits until the connection ends. Returns the count of each status:
 * { 431: 5000 }. */
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

/* Each sends one of the requests and resets the connection without waiting. */
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

/* Each sends one of the requests and ends its own side, and leaves the other side open until it is stopped. */
export async function endOneSide({ requests, count, rate, ...place }, { ready, stopped }) {
  await paced(count, rate, i => {
    const socket = dial(place, i, { allowHalfOpen: true });
    socket.on('data', () => {});
    socket.end(requests[i % requests.length]);
  });
  ready();
  await stopped;
}

/* ---- after the handshake ---- */

/* Opens `count` connections, each of which sends `first`, then `bytes` `times` times, and reads nothing. Ends
 * when all of it is sent or the connection is closed; with `failed`, when the gateway has closed it, as it may
 * not have read yet what the kernel took. { sent }: the bytes that the kernel took. */
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

/* In each round, opens `count` connections, which all send one of the messages at once, and waits until each
 * is closed. */
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

/* Opens `count` connections. Each sends `bytes`, for which the gateway closes it, and never ends its own side. */
export async function ignoreClose({ count, rate, bytes, ...place }, { ready, stopped }) {
  const sockets = await paced(count, rate, i => open(place, i, { allowHalfOpen: true }));
  for (const socket of sockets) socket.write(bytes);
  ready();
  await stopped;
}

/* Opens `count` connections and reads nothing until it is stopped. Replaces them in turn, half of them each
 * second. */
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
