/* The sweep finds changes of which no invalidation arrives. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startRedis } from '../support/redis.js';
import { startProxy } from '../support/redis_proxy.js';
import { sign } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { Visitor, assertNotReceived, assertReceived, each, reads, secondsPass } from '../support/visitors.js';

const SWEEP = { sweep: 0.5 };
const CHANNELS = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'team:{teams}', allow: 'session' },
];
const FOUND = { within: 4000 };

async function stand(t, session = SWEEP, { workers = 2 } = {}) {
  const redis = await startRedis(t);
  const proxy = await startProxy(t, redis);
  const sluice = await startSluice(t, proxy.url, { workers, session, channels: CHANNELS });
  return { redis, proxy, sluice, client: await redis.client() };
}

describe('finds, though the invalidation is lost,', () => {
  test('a session that was deleted', async t => {
    const { proxy, sluice, client } = await stand(t);
    const [gone, other] = [await Visitor.logIn(client), await Visitor.logIn(client)];
    await gone.open(sluice, { count: 4 });
    await other.open(sluice, { count: 4 });
    proxy.swallows = true;
    await client.del(gone.key);
    await gone.closed(4401, FOUND);
    assert.ok(proxy.invalidations > 0, 'nothing was lost');
    await assertReceived(client, 'news', other.browsers);
    other.terminate();
  });

  test('a session that allows fewer channels', async t => {
    const { redis, proxy, sluice, client } = await stand(t);
    const member = await Visitor.logIn(client, { teams: [1, 2] });
    await member.open(sluice, { count: 4, query: '?channel=team:1&channel=team:2' });
    proxy.swallows = true;
    await member.write({ teams: [1] });
    await until(async () => (await redis.subscribers('team:2')) === 0, FOUND);
    await assertNotReceived(client, 'team:2', member.browsers);
    await assertReceived(client, 'team:1', member.browsers);
    member.terminate();
  });

  test('a session that belongs to another user now', async t => {
    const { proxy, sluice, client } = await stand(t);
    const gone = await Visitor.logIn(client);
    await gone.open(sluice, { count: 2 });
    proxy.swallows = true;
    await gone.write({ userId: 'u2' });
    await gone.closed(4401, FOUND);
  });
});

test('finds a session whose record says that it has expired', async t => {
  const { sluice, client } = await stand(t, { ...SWEEP, preset: 'fastify' });
  const gone = new Visitor(client);
  const ends = new Date(Date.now() + 500).toISOString();
  await gone.write({ cookie: { expires: ends } });
  await gone.open(sluice, { cookie: `sessionId=${encodeURIComponent(sign(gone.id).slice(2))}` });
  await gone.closed(4401, FOUND);
});

test('finds that databases were swapped, for which Redis sends no invalidation', async t => {
  const { sluice, client } = await stand(t);
  const gone = await Visitor.logIn(client);
  await gone.open(sluice, { count: 4 });
  await client.sendCommand(['SWAPDB', '0', '1']);
  await gone.closed(4401, FOUND);
});

describe('reads', () => {
  const SESSIONS = 300;

  async function crowd(t) {
    const stood = await stand(t, { sweep: 2 }, { workers: 1 });
    const visitors = await Promise.all(Array.from({ length: SESSIONS }, () => Visitor.logIn(stood.client)));
    await each(SESSIONS, i => visitors[i].open(stood.sluice), { atOnce: 50 });
    return { ...stood, visitors };
  }

  test('each session once a period, and not all at the same time', async t => {
    const { client, visitors } = await crowd(t);
    const steps = [];
    let last = await looks(client);
    await secondsPassOf(4, async () => {
      const now = await looks(client);
      steps.push(now - last);
      last = now;
    });
    const all = steps.reduce((sum, step) => sum + step);
    t.diagnostic(`${all} looks at ${SESSIONS} sessions in two periods; at most ${Math.max(...steps)} within 0.2 s`);
    assert.ok(all >= 1.5 * SESSIONS && all <= 2.5 * SESSIONS, `${all} looks`);
    assert.ok(Math.max(...steps) < SESSIONS / 2, steps.join(' '));
    assert.ok(visitors.every(visitor => visitor.isUntouched));
    visitors.forEach(visitor => visitor.terminate());
  });

  test('sessions that opened together within one period', async t => {
    const { proxy, client, visitors } = await crowd(t);
    proxy.swallows = true;
    const began = performance.now();
    await client.del(visitors.map(({ key }) => key));
    await Promise.all(visitors.map(visitor => visitor.closed(4401, { within: 5000 })));
    const took = performance.now() - began;
    t.diagnostic(`the last one after ${Math.round(took)} ms`);
    assert.ok(took < 3000, `${Math.round(took)} ms`);
  });

  test('a session once for all its connections', async t => {
    const { redis, sluice, client } = await stand(t, { sweep: 1 }, { workers: 1 });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 50 });
    const before = await looks(client);
    await secondsPass(redis, 2, { links: 2 });
    const all = (await looks(client)) - before;
    assert.ok(all >= 1 && all <= 4, `${all} looks in 2 s`);
    visitor.terminate();
  });

  test('nothing when it is off', async t => {
    const { redis, sluice, client } = await stand(t, { sweep: 0 }, { workers: 1 });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice);
    const before = await looks(client);
    await secondsPass(redis, 2, { links: 2 });
    assert.equal(await looks(client), before);
    await client.del(visitor.key);
    await visitor.closed();
  });

  test('nothing when nobody is connected', async t => {
    const { redis, sluice, client } = await stand(t, { sweep: 1 }, { workers: 1 });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice);
    visitor.terminate();
    await sluice.reaches('sluice_sessions', 0);
    const before = await looks(client);
    await secondsPass(redis, 2, { links: 2 });
    assert.equal(await looks(client), before);
  });
});

/* The number of reads, by GET or by EXISTS. */
async function looks(client) {
  const stats = await client.info('commandstats');
  return (await reads(client)) + Number(/cmdstat_exists:calls=(\d+)/.exec(stats)?.[1] ?? 0);
}

/* Calls `look` five times a second. */
async function secondsPassOf(seconds, look) {
  const began = performance.now();
  for (let i = 1; i <= 5 * seconds; i++) {
    await until(() => performance.now() - began >= 200 * i, { within: 2000 });
    await look();
  }
}
