/* People with a session and open connections, and what becomes of those when the session changes. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Browser } from './browser.js';
import { COOKIE, cookieFor } from './sessions.js';
import { until } from './wait.js';

/* What sweeps would find is to be found without them. */
export const NO_SWEEP = { sweep: 3600 };

/* A session's record. */
export function recordOf(fields = {}) {
  return JSON.stringify({ cookie: COOKIE, authenticated: true, userId: 'u1', ...fields });
}

export class Visitor {
  browsers = [];

  /* `client`: a back end's, so that a write is one round trip. */
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

  /* What express-session does on each page view. */
  touch() {
    return this.client.expire(this.key, 3600);
  }

  /* Opens connections, and holds them to be open. */
  async open(sluice, { count = 1, query = '', ...options } = {}) {
    const opened = await Promise.all(Array.from({ length: count }, () =>
      Browser.open(sluice.url + query, { cookie: this.cookie, ...options })));
    this.browsers.push(...opened);
    return opened;
  }

  get isUntouched() {
    return this.browsers.every(browser => browser.isOpen);
  }

  /* All connections are closed, each with this code; gives the milliseconds that took. */
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

/* Publishes until each has seen it. */
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

/* Publishes on one channel and then on another, which they have for sure: only that one arrives. */
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

/* The lower quartile: a machine that is busy with other things makes some late, and none early. */
export function quick(values) {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 4)];
}

/* Calls `job` for each number below `count`, some at a time. */
export async function each(count, job, { atOnce = 100 } = {}) {
  let next = 0;
  const worker = async () => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/* How often a session was read, and by whom does not matter: GET is nobody else's here. */
export async function reads(client) {
  return Number(/cmdstat_get:calls=(\d+)/.exec(await client.info('commandstats'))?.[1] ?? 0);
}

/* Time that passes while Redis is asked `pings` times by each link whether it is there: a second each,
 * counted by what happens and not by a clock of ours. */
export async function secondsPass(redis, seconds, { links = 4 } = {}) {
  const before = await redis.calls('ping');
  await until(async () => (await redis.calls('ping')) >= before + seconds * links, {
    what: `${seconds} s pass`, within: 1000 * seconds + 5000 });
}
