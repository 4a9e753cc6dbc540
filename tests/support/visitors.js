/* Visitors with a session and open connections, and what happens to the connections when the session changes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Browser } from './browser.js';
import { COOKIE, cookieFor } from './sessions.js';
import { until } from './wait.js';

/* For tests of a change that the gateway must find without a sweep. */
export const NO_SWEEP = { sweep: 3600 };

/* A session's record, as JSON. */
export function recordOf(fields = {}) {
  return JSON.stringify({ cookie: COOKIE, authenticated: true, userId: 'u1', ...fields });
}

export class Visitor {
  browsers = [];

  /* `client`: a client of Redis, so that a write is one round trip. */
  constructor(client, id = randomUUID()) {
    Object.assign(this, { client, id });
    this.key = `sess:${id}`;
    this.cookie = cookieFor(id);
  }

  static async logIn(client, fields, id) {
    const visitor = new Visitor(client, id);
    await visitor.write(fields);
    return visitor;
  }

  /* The back end saves the session. */
  write(fields, options = { expiration: { type: 'EX', value: 3600 } }) {
    return this.client.set(this.key, recordOf(fields), options);
  }

  /* As express-session does on each page view. */
  touch() {
    return this.client.expire(this.key, 3600);
  }

  /* Opens `count` connections, and keeps them in `browsers`. */
  async open(sluice, { count = 1, query = '', ...options } = {}) {
    const opened = await Promise.all(Array.from({ length: count }, () =>
      Browser.open(sluice.url + query, { cookie: this.cookie, ...options })));
    this.browsers.push(...opened);
    return opened;
  }

  get isUntouched() {
    return this.browsers.every(browser => browser.isOpen);
  }

  /* Waits until all connections are closed with this code, and returns the milliseconds that this took. */
  async closed(code = 4401, { within = 1000 } = {}) {
    const began = performance.now();
    const closes = await Promise.all(this.browsers.map(browser => browser.closed({ within })));
    for (const close of closes) assert.equal(close.code, code, close.reason);
    return performance.now() - began;
  }

  terminate() {
    for (const browser of this.browsers) browser.terminate();
  }
}

/* Publishes until each browser has received it. */
export async function assertReceived(client, channel, browsers) {
  const payload = randomUUID();
  const waiting = new Set(browsers);
  await until(async () => {
    await client.publish(channel, payload);
    for (const browser of waiting)
      if (browser.takeAll().includes(payload)) waiting.delete(browser);
    return waiting.size === 0;
  }, { what: `a publication on ${channel} arrives`, within: 5000 });
}

/* Publishes on one channel and then on another, `sure`, that all browsers have: only the second arrives. */
export async function assertNotReceived(client, channel, browsers, { sure = 'news' } = {}) {
  const payload = randomUUID();
  await client.publish(channel, payload);
  const seen = browsers.map(() => []);
  await until(async () => {
    await client.publish(sure, `after ${payload}`);
    browsers.forEach((browser, i) => seen[i].push(...browser.takeAll()));
    return seen.every(all => all.includes(`after ${payload}`));
  }, { what: `a publication on ${sure} arrives`, within: 5000 });
  for (const all of seen) assert.ok(!all.includes(payload), `received on ${channel}`);
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/* The lower quartile: a busy machine makes some values late, and none early. */
export function quick(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)];
}

/* Calls `job` for each number below `count`, at most `atOnce` at a time. */
export async function each(count, job, { atOnce = 100 } = {}) {
  let next = 0;
  const worker = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/* How many times a session that exists was read. Only the gateway uses GET here, and its probes ask for sessions that do
 * not exist. */
export async function reads(client) {
  const stats = await client.info('everything');
  const number = pattern => Number(pattern.exec(stats)?.[1] ?? 0);
  return number(/cmdstat_get:calls=(\d+)/) - number(/keyspace_misses:(\d+)/);
}

/* Waits until each of the gateway's links to Redis has sent `seconds` PINGs, which is one a second. So the
 * time is the gateway's own, and longer on a machine that is slow. */
export async function secondsPass(redis, seconds, { links = 4 } = {}) {
  const before = await redis.calls('ping');
  await until(async () => (await redis.calls('ping')) >= before + seconds * links, {
    what: `${seconds} s pass`, within: 1000 * seconds + 5000 });
}
