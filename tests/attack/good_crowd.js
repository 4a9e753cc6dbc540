/* The clients that an attack must not harm: connections that get publications, 20 a second if not said otherwise,
 * and ten new connections a second. They and the publisher are one process, and so share a clock. */
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redis';
import WebSocket from 'ws';
import { opened } from '../support/browser.js';
import { until } from '../support/wait.js';

export const CHANNEL = 'pulse';
const RATE = 20;
const COME_EVERY = 100;
const AT_ONCE = 20;
const PING_EVERY = 10;

async function open({ url, channel, cookie, ca }) {
  const socket = new WebSocket(`${url}?channel=${channel}`, {
    headers: { Cookie: cookie }, ca, servername: ca && 'localhost', perMessageDeflate: false });
  await opened(socket);
  return socket;
}

class Good {
  expected = 0;

  constructor(place, tally) {
    Object.assign(this, { place, tally });
  }

  async open() {
    const socket = await open(this.place);
    socket.on('message', text => this.#take(text));
    socket.on('close', () => (this.tally.closed += 1));
  }

  #take(text) {
    const [number, sent] = text.toString().split(' ').map(Number);
    if (number !== this.expected) this.tally.wrong += 1;
    this.expected = number + 1;
    this.tally.delays.push(performance.now() - sent);
  }
}

/* Publishes until it is over. Each publication has its time, however late the one before was. */
async function publish({ redisUrl, channel, rate }, isOver) {
  const publisher = await createClient({ url: redisUrl }).connect();
  const began = performance.now();
  let published = 0;
  for (; !isOver(); published++) {
    await delay(began + (published * 1000) / rate - performance.now());
    publisher.publish(channel, `${published} ${performance.now()}`);
  }
  await publisher.close();
  return published;
}

async function keepComing(place, isOver) {
  const waits = [];
  while (!isOver()) {
    const began = performance.now();
    const socket = await open(place);
    waits.push(performance.now() - began);
    socket.close();
    await delay(COME_EVERY);
  }
  return waits;
}

/* The value that `share` of the values do not exceed. */
function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

function summary(values) {
  return { p50: quantile(values, 0.5), p99: quantile(values, 0.99), max: quantile(values, 1) };
}

/* Runs in a process of its own. Gives { published, expected, received, wrong, closed, delivery, opening };
 * the last two are { p50, p99, max } in milliseconds. */
export async function beGood({ count, channel = CHANNEL, rate = RATE, ...rest }, { ready, stopped }) {
  const place = { channel, rate, ...rest };
  const tally = { wrong: 0, closed: 0, delays: [] };
  const crowd = Array.from({ length: count }, () => new Good(place, tally));
  for (let i = 0; i < count; i += AT_ONCE)
    await Promise.all(crowd.slice(i, i + AT_ONCE).map(good => good.open()));
  let over = false;
  const isOver = () => over;
  const publishing = publish(place, isOver);
  const coming = keepComing(place, isOver);
  ready();
  await stopped;
  over = true;
  const [published, waits] = await Promise.all([publishing, coming]);
  const expected = published * count;
  await until(() => tally.delays.length >= expected, { within: 5000 }).catch(() => {});
  return {
    published, expected, received: tally.delays.length, wrong: tally.wrong, closed: tally.closed,
    delivery: summary(tally.delays), opening: summary(waits) };
}

/* Opens one connection and pings it a hundred times a second. Gives { pongs, p50, p99, max }, the last
 * three in milliseconds. */
export async function ping(place, { ready, stopped }) {
  const socket = await open({ channel: CHANNEL, ...place });
  const waits = [];
  let over = false;
  stopped.then(() => (over = true));
  socket.on('pong', sent => waits.push(performance.now() - Number(sent)));
  ready();
  while (!over) {
    socket.ping(String(performance.now()));
    await delay(PING_EVERY);
  }
  socket.close();
  return { pongs: waits.length, ...summary(waits) };
}
