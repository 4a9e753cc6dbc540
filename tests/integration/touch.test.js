/* session.touch: an open page extends its session, and a closed one does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor, assertReceived, reads, secondsPass } from '../support/visitors.js';

const BRIEF = { expiration: { type: 'EX', value: 60 } };
const HEARTBEAT = { interval: 0.2, timeout: 5 };

async function stand(t, session = {}, config = {}) {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, {
    workers: 1, session: { ...NO_SWEEP, ...session }, heartbeat: HEARTBEAT, ...config });
  return { redis, sluice, client: await redis.client() };
}

/* Waits for this many heartbeats on each connection. */
async function heartbeats(visitor, count) {
  let pings = 0;
  for (const browser of visitor.browsers) browser.socket.on('ping', () => (pings += 1));
  await until(() => pings >= count * visitor.browsers.length, { what: `${count} heartbeats`, within: 10000 });
}

test('extends the session of an open page, by one EXPIRE a minute', async t => {
  const { redis, sluice, client } = await stand(t, { touch: true, ttl: 1000 });
  const visitor = new Visitor(client);
  await visitor.write({}, BRIEF);
  await visitor.open(sluice, { count: 5 });
  await until(async () => (await client.ttl(visitor.key)) > 900, { what: 'the session is extended' });
  await heartbeats(visitor, 5);
  assert.ok((await client.ttl(visitor.key)) <= 1000);
  assert.equal(await redis.calls('expire'), 1);
  await assertReceived(client, 'news', visitor.browsers);
  assert.ok(visitor.isUntouched);
  visitor.terminate();
});

test('sends one EXPIRE for each session', async t => {
  const { redis, sluice, client } = await stand(t, { touch: true, ttl: 1000 });
  const visitors = await Promise.all(Array.from({ length: 20 }, () => Visitor.logIn(client)));
  for (const visitor of visitors) await visitor.write({}, BRIEF);
  await Promise.all(visitors.map(visitor => visitor.open(sluice)));
  await Promise.all(visitors.map(visitor =>
    until(async () => (await client.ttl(visitor.key)) > 900, { what: 'each session is extended' })));
  await heartbeats(visitors[0], 3);
  assert.equal(await redis.calls('expire'), visitors.length);
  visitors.forEach(visitor => visitor.terminate());
});

test('its own EXPIRE does not make it read the session over and over', async t => {
  const { redis, sluice, client } = await stand(t, { touch: true, ttl: 1000 });
  const visitor = new Visitor(client);
  await visitor.write({}, BRIEF);
  await visitor.open(sluice, { count: 5 });
  await until(async () => (await client.ttl(visitor.key)) > 900);
  await heartbeats(visitor, 5);
  const all = await reads(client);
  assert.ok(all <= 5 + 2, `${all} reads`); // at most one for each opening, and those after the EXPIRE
  visitor.terminate();
});

test('leaves the time to live alone by default', async t => {
  const { redis, sluice, client } = await stand(t);
  const visitor = new Visitor(client);
  await visitor.write({}, BRIEF);
  await visitor.open(sluice, { count: 3 });
  await heartbeats(visitor, 5);
  assert.ok((await client.ttl(visitor.key)) <= 60);
  const commands = await redis.commands();
  assert.ok(!commands.some(name => /expire|getex|touch/.test(name)), commands.join(' '));
  visitor.terminate();
});

test('does not bring back a session that has ended', async t => {
  const { redis, sluice, client } = await stand(t, { touch: true, ttl: 1000 });
  const visitor = await Visitor.logIn(client);
  await visitor.open(sluice, { count: 5 });
  await heartbeats(visitor, 2);
  await client.del(visitor.key);
  await visitor.closed();
  await secondsPass(redis, 1, { links: 2 });
  assert.equal(await client.exists(visitor.key), 0);
  assert.equal(await client.dbSize(), 0);
});

test('lets a session expire when its pages are closed', async t => {
  const { sluice, client } = await stand(t, { touch: true, ttl: 1 });
  const visitor = await Visitor.logIn(client);
  await visitor.open(sluice, { count: 2 });
  await until(async () => (await client.ttl(visitor.key)) <= 1, { what: 'it was touched' });
  visitor.terminate();
  await until(async () => !(await client.exists(visitor.key)));
});

test('sends no EXPIRE for a client without a session', async t => {
  const { redis, sluice, client } = await stand(t, { touch: true, ttl: 1000, required: false }, {
    channels: [{ match: 'news', allow: 'anyone', auto: true }] });
  const nobody = new Visitor(client);
  await nobody.open(sluice, { cookie: undefined });
  await heartbeats(nobody, 3);
  assert.equal(await redis.calls('expire'), 0);
  assert.equal(await client.dbSize(), 0);
  nobody.terminate();
});
