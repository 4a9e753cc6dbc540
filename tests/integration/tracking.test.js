/* Redis reports changed sessions by client-side caching: reads on one link are tracked, and invalidations arrive
 * on another. These tests lose the links, refuse tracking, evict tracked keys and send very many invalidations.
 * The sweep is off unless a test needs it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { startRedis } from '../support/redis.js';
import { isForCommands, isSubscribed, startProxy } from '../support/redis_proxy.js';
import { processorSecondsOf } from '../support/program.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import {
  NO_SWEEP, Visitor, assertNotReceived, assertReceived, each, median, quick, reads, secondsPass,
} from '../support/visitors.js';

const CHANNELS = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'team:{teams}', allow: 'session' },
];
const TEAMS = '?channel=team:1&channel=team:2';

async function stand(t, { workers = 2, session = NO_SWEEP, settings = {}, config = {} } = {}) {
  const redis = await startRedis(t, settings);
  const sluice = await startSluice(t, redis.url, { workers, session, channels: CHANNELS, ...config });
  return { redis, sluice, client: await redis.client() };
}

/* The log lines that say that Redis does not track. */
const told = sluice => sluice.program.stderr.filter(line => line.includes('does not report changed sessions'));

/* Three visitors: one whose session will be deleted, one that will lose a team, one that will not change. */
async function threeKinds(client, sluice) {
  const [gone, less, same] = await Promise.all(
    Array.from({ length: 3 }, () => Visitor.logIn(client, { teams: [1, 2] })));
  for (const one of [gone, less, same]) await one.open(sluice, { count: 4, query: TEAMS });
  return { gone, less, same };
}

async function assertFound(redis, client, { gone, less, same }, { within = 3000 } = {}) {
  await gone.closed(4401, { within });
  await assertReceived(client, 'team:2', same.browsers);
  await assertReceived(client, 'team:1', less.browsers);
  await until(() => assertNotReceived(client, 'team:2', less.browsers).then(() => true), { within });
  assert.ok(less.isUntouched && same.isUntouched);
  await client.del(same.key); // invalidations arrive again from here on
  await same.closed();
  less.terminate();
}

describe('after links are lost and come back', () => {
  /* The client ids of the gateway's links, which use TCP. */
  async function links(client) {
    const all = (await client.sendCommand(['CLIENT', 'LIST'])).trim().split('\n')
      .map(line => Object.fromEntries(line.split(' ').map(field => field.split(/=(.*)/s))))
      .filter(({ addr }) => addr.startsWith('127.0.0.1:'));
    return {
      subscribed: all.filter(({ sub }) => sub !== '0').map(({ id }) => id),
      command: all.filter(({ sub }) => sub === '0').map(({ id }) => id) };
  }

  const kinds = {
    'the command link': ({ command }) => command,
    'the subscribed link': ({ subscribed }) => subscribed,
    'each link': ({ command, subscribed }) => [...command, ...subscribed],
  };
  for (const [name, choose] of Object.entries(kinds))
    test(`finds what changed when ${name} of every worker was lost`, async t => {
      const { redis, sluice, client } = await stand(t);
      const visitors = await threeKinds(client, sluice);
      const transaction = client.multi();
      for (const id of choose(await links(client))) transaction.addCommand(['CLIENT', 'KILL', 'ID', id]);
      transaction.del(visitors.gone.key);
      transaction.set(visitors.less.key, (await client.get(visitors.less.key)).replace('[1,2]', '[1]'));
      await transaction.exec();
      await assertFound(redis, client, visitors);
      await sluice.ready();
    });

  for (const [name, which] of Object.entries({
    'the command link': isForCommands, 'the subscribed link': isSubscribed, 'each link': () => true }))
    test(`finds what changed while ${name} was down`, async t => {
      const redis = await startRedis(t);
      const client = await redis.client();
      const proxy = await startProxy(t, redis);
      const sluice = await startSluice(t, proxy.url, { session: NO_SWEEP, channels: CHANNELS });
      const visitors = await threeKinds(client, sluice);
      proxy.isShut = true;
      proxy.cut(which);
      await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'the loss is noticed' });
      await client.del(visitors.gone.key);
      await visitors.less.write({ teams: [1] });
      proxy.isShut = false;
      await assertFound(redis, client, visitors);
      await sluice.ready();
    });

  test('finds what changed if the command link is back before the dead subscribed link is noticed', async t => {
    const redis = await startRedis(t);
    const client = await redis.client();
    const proxy = await startProxy(t, redis);
    const sluice = await startSluice(t, proxy.url, { session: NO_SWEEP, channels: CHANNELS });
    const visitors = await threeKinds(client, sluice);
    for (const relay of [...proxy.relays].filter(isSubscribed)) relay.strand();
    proxy.cut(isForCommands);
    await client.del(visitors.gone.key);
    await visitors.less.write({ teams: [1] });
    await assertFound(redis, client, visitors, { within: 5000 });
    assert.deepEqual(told(sluice), []);
  });

  test('finds what changed, five times in a row', async t => {
    const { sluice, client } = await stand(t);
    for (let i = 0; i < 5; i++) {
      await sluice.ready();
      const gone = await Visitor.logIn(client);
      await gone.open(sluice, { count: 2 });
      const { command, subscribed } = await links(client);
      const victims = [command, subscribed, [command[0], subscribed[0]]][i % 3];
      for (const id of victims) await client.sendCommand(['CLIENT', 'KILL', 'ID', id]);
      await client.del(gone.key);
      await gone.closed(4401, { within: 3000 });
    }
    assert.deepEqual(told(sluice), []);
  });
});

describe('after a restart of Redis', () => {
  const DURABLE = { appendonly: 'yes', appendfsync: 'always' };

  test('with its data, closes nobody and gets invalidations again', async t => {
    const { redis, sluice, client } = await stand(t, { settings: DURABLE });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    await redis.kill();
    await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'the loss is noticed' });
    await redis.start();
    const again = await redis.client();
    await until(async () => (await reads(again)) > 0, { what: 'the session is read again' });
    await sluice.ready();
    await assertReceived(again, 'news', visitor.browsers);
    assert.ok(visitor.isUntouched);
    await redis.cli('DEL', visitor.key);
    await visitor.closed();
  });

  test('closes a connection whose session ended meanwhile', async t => {
    const { redis, sluice, client } = await stand(t, { settings: DURABLE });
    const [gone, stays] = [await Visitor.logIn(client), await Visitor.logIn(client)];
    await gone.open(sluice, { count: 3 });
    await stays.open(sluice, { count: 3 });
    await redis.kill();
    await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'the loss is noticed' });
    redis.settings.port = 0; // reachable over its Unix socket only
    await redis.start();
    await redis.cli('DEL', gone.key);
    await redis.kill();
    redis.settings.port = redis.port;
    assert.ok(gone.isUntouched, 'closed because Redis is down');
    await redis.start();
    await gone.closed(4401, { within: 3000 });
    await assertReceived(await redis.client(), 'news', stays.browsers);
    stays.terminate();
  });

  test('without its data, closes all', async t => {
    const { redis, sluice, client } = await stand(t, { settings: { appendonly: 'no' } });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    await redis.kill();
    await redis.start();
    await visitor.closed(4401, { within: 3000 });
  });

  test('or a hang, closes a connection whose session ended meanwhile', async t => {
    const { redis, sluice, client } = await stand(t);
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    redis.pause();
    const deleted = client.del(visitor.key);
    await sluice.unlinked({ within: 6000 });
    assert.ok(visitor.isUntouched);
    redis.resume();
    await deleted;
    await visitor.closed(4401, { within: 3000 });
  });
});

/* The rights that the documentation lists for Sluice's user. */
const DOCUMENTATION = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const RULES = /^ACL SETUSER sluice on >password ([^`]*)/m.exec(DOCUMENTATION)[1].trim().split(/\s+/);

async function standWithUser(t, rules, { session = NO_SWEEP, ...config } = {}) {
  const redis = await startRedis(t);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'reset', 'on', '>word', ...rules);
  const sluice = await startSluice(t, redis.url.replace('//', '//sluice:word@'), {
    session, channels: CHANNELS, ...config });
  return { redis, sluice, client: await redis.client() };
}

describe('a Redis user with restricted rights', () => {
  test('needs no more rights than the documentation lists', async t => {
    const { redis, sluice, client } = await standWithUser(t, RULES);
    const visitor = await Visitor.logIn(client, { teams: [1] });
    await visitor.open(sluice, { count: 4, query: '?channel=team:1' });
    await assertReceived(client, 'team:1', visitor.browsers);
    await client.del(visitor.key);
    await visitor.closed();
    assert.deepEqual(told(sluice), []);
    assert.equal(await redis.cli('ACL', 'LOG'), '');
  });

  test('needs EXPIRE as well for session.touch', async t => {
    const { redis, sluice, client } = await standWithUser(t, [...RULES, '+expire', '%RW~sess:*'], {
      session: { ...NO_SWEEP, touch: true, ttl: 1000 }, heartbeat: { interval: 0.1, timeout: 5 } });
    const visitor = new Visitor(client);
    await visitor.write({}, { expiration: { type: 'EX', value: 60 } });
    await visitor.open(sluice);
    await until(async () => (await client.ttl(visitor.key)) > 900);
    assert.equal(await redis.cli('ACL', 'LOG'), '');
    visitor.terminate();
  });

  const refusals = {
    'no CLIENT TRACKING': '-client|tracking',
    'no CLIENT ID': '-client|id',
    'no channel for invalidations': 'resetchannels &news &team:*',
  };
  for (const [name, rule] of Object.entries(refusals))
    test(`with ${name}, the log says so once, and the sweep finds what ended`, async t => {
      const { redis, sluice, client } = await standWithUser(
        t, [...RULES, ...rule.split(' ')], { session: { sweep: 0.5 } });
      await until(() => told(sluice).length > 0, { what: 'a line of the log' });
      const [gone, same] = [await Visitor.logIn(client), await Visitor.logIn(client)];
      await gone.open(sluice, { count: 4 });
      await same.open(sluice, { count: 4 });
      await client.del(gone.key);
      await gone.closed(4401, { within: 4000 });
      await assertReceived(client, 'news', same.browsers);
      await redis.cli('CLIENT', 'KILL', 'USER', 'sluice');
      await assertReceived(client, 'news', same.browsers);
      await sluice.ready();
      await client.del(same.key);
      await same.closed(4401, { within: 4000 });
      assert.equal(told(sluice).length, 1, told(sluice).join('\n'));
      assert.match(told(sluice)[0], / warn /);
    });

  test('gets invalidations on the next link once tracking is allowed', async t => {
    const { redis, sluice, client } = await standWithUser(t, [...RULES, '-client|tracking']);
    await until(() => told(sluice).length > 0);
    await redis.cli('ACL', 'SETUSER', 'sluice', '+client|tracking');
    await redis.cli('CLIENT', 'KILL', 'USER', 'sluice');
    const visitor = await Visitor.logIn(client);
    await until(() => visitor.open(sluice), { within: 3000 });
    await client.del(visitor.key);
    await visitor.closed();
  });

  test('closes nobody when sessions cannot be read any more', async t => {
    const { redis, sluice, client } = await standWithUser(t, RULES);
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    await redis.cli('ACL', 'SETUSER', 'sluice', '-get');
    await visitor.touch();
    await until(async () => (await redis.cli('ACL', 'LOG')).includes('get'), { what: 'it has tried' });
    await assertReceived(client, 'news', visitor.browsers);
    assert.ok(visitor.isUntouched);
    await redis.cli('ACL', 'SETUSER', 'sluice', '+get');
    visitor.terminate();
  });

  test('finds without a sweep what ended while sessions could not be read', async t => {
    const { redis, sluice, client } = await standWithUser(t, RULES);
    const visitors = await Promise.all(Array.from({ length: 20 }, () => Visitor.logIn(client)));
    for (const visitor of visitors) await visitor.open(sluice);
    await redis.cli('ACL', 'SETUSER', 'sluice', '-get');
    for (const visitor of visitors) await visitor.touch();
    await until(async () => (await redis.cli('ACL', 'LOG')).includes('get'), { what: 'it has tried' });
    for (const visitor of visitors) await client.del(visitor.key);
    await redis.cli('ACL', 'SETUSER', 'sluice', '+get');
    await Promise.all(visitors.map(visitor => visitor.closed(4401, { within: 3000 })));
    const lines = sluice.program.stderr.filter(line => line.includes('session look-up failed'));
    assert.ok(lines.length <= 2, `${lines.length} lines`); // one for each worker
  });
});

describe('the sweep finds what ended when', () => {
  test('Redis does not have CLIENT', async t => {
    const { sluice, client } = await stand(t, {
      session: { sweep: 0.5 }, settings: { 'rename-command': ['CLIENT', '""'] } });
    await until(() => told(sluice).length > 0, { what: 'a line of the log' });
    const gone = await Visitor.logIn(client);
    await gone.open(sluice, { count: 4 });
    await client.del(gone.key);
    await gone.closed(4401, { within: 4000 });
    assert.equal(told(sluice).length, 1);
  });

  test('a proxy does not have CLIENT TRACKING', async t => {
    const redis = await startRedis(t);
    const proxy = await startProxy(t, redis);
    proxy.spoils = words => words[1] === 'TRACKING';
    const sluice = await startSluice(t, proxy.url, { session: { sweep: 0.5 } });
    await until(() => told(sluice).length > 0, { what: 'a line of the log' });
    const client = await redis.client();
    const gone = await Visitor.logIn(client);
    await gone.open(sluice, { count: 4 });
    await client.del(gone.key);
    await gone.closed(4401, { within: 4000 });
    assert.equal(told(sluice).length, 1);
  });
});

describe('when Redis may track fewer keys than there are sessions', () => {
  const SESSIONS = 1000;
  const SECONDS = 3;
  const VAIN = { burst: 11000, perSecond: 5000 }; // a worker's limit of reads that find nothing new

  test('closes nobody, limits its reads, and finds what ended', async t => {
    const { redis, sluice, client } = await stand(t, {
      workers: 1, settings: { 'tracking-table-max-keys': 100 } });
    const visitors = await Promise.all(Array.from({ length: SESSIONS }, () => Visitor.logIn(client)));
    await each(SESSIONS, i => visitors[i].open(sluice), { atOnce: 50 });

    const before = await reads(client);
    const processor = processorSecondsOf(sluice.program.pid);
    const began = performance.now();
    await secondsPass(redis, SECONDS, { links: 2 });
    const all = (await reads(client)) - before;
    const seconds = (performance.now() - began) / 1000;
    const load = (processorSecondsOf(sluice.program.pid) - processor) / seconds;
    t.diagnostic(`${all} reads for ${SESSIONS} sessions in ${seconds.toFixed(1)} s; load ${load.toFixed(2)}`);
    assert.ok(all < VAIN.burst + VAIN.perSecond * seconds, `${all} reads in ${seconds} s`);
    assert.ok(load < 0.3, `load ${load}`);
    await assertReceived(client, 'news', visitors.flatMap(({ browsers }) => browsers));
    assert.ok(visitors.every(visitor => visitor.isUntouched));

    const gone = visitors.splice(0, 100);
    await client.del(gone.map(({ key }) => key));
    await Promise.all(gone.map(visitor => visitor.closed(4401, { within: 3000 })));
    assert.ok(visitors.every(visitor => visitor.isUntouched));
    visitors.forEach(visitor => visitor.terminate());
  });
});

describe('when express-session touches with every page view', () => {
  const PER_SECOND = 100000 / 60;
  const SECONDS = 2;

  /* Sends EXPIRE for one visitor after the other at an even rate. Gives reads and processor time, per second. */
  async function touch(sluice, client, visitors) {
    const before = await reads(client);
    const processor = processorSecondsOf(sluice.program.pid);
    const began = performance.now();
    for (let n = 0; n < PER_SECOND * SECONDS;) {
      const due = Math.min((performance.now() - began) / 1000, SECONDS) * PER_SECOND;
      const some = [];
      for (; n < due; n++) some.push(visitors[n % visitors.length].touch());
      await Promise.all(some);
      await new Promise(resolve => setImmediate(resolve));
    }
    return {
      readsPerSecond: ((await reads(client)) - before) / SECONDS,
      load: (processorSecondsOf(sluice.program.pid) - processor) / SECONDS };
  }

  for (const [name, count, limit] of [['one session', 1, 100], ['a thousand sessions', 1000, PER_SECOND + 200]])
    test(`100,000 times a minute, reads ${name} at a limited rate`, async t => {
      const { sluice, client } = await stand(t, { workers: 1 });
      const visitors = await Promise.all(Array.from({ length: count }, () => Visitor.logIn(client)));
      await each(count, i => visitors[i].open(sluice), { atOnce: 50 });
      const { readsPerSecond, load } = await touch(sluice, client, visitors);
      t.diagnostic(`${Math.round(readsPerSecond)} reads a second, load ${load.toFixed(2)}`);
      assert.ok(readsPerSecond <= limit, `${readsPerSecond} reads a second`);
      assert.ok(load < 0.5, `load ${load}`);
      await assertReceived(client, 'news', visitors.flatMap(({ browsers }) => browsers));
      assert.ok(visitors.every(visitor => visitor.isUntouched));
      visitors.forEach(visitor => visitor.terminate());
    });

  test('does not read a session without connections', async t => {
    const { sluice, client } = await stand(t, { workers: 1 });
    const [gone, stays] = [await Visitor.logIn(client), await Visitor.logIn(client)];
    await gone.open(sluice);
    await stays.open(sluice);
    gone.terminate();
    await sluice.reaches('sluice_sessions', 1);
    const before = await reads(client);
    for (let i = 0; i < 50; i++) await gone.touch();
    await client.del(stays.key);
    await stays.closed();
    assert.equal(await reads(client), before); // that of `stays` finds nothing
  });

  test('finds log-outs within 100 ms', async t => {
    const { sluice, client } = await stand(t, { workers: 1 });
    const visitors = await Promise.all(Array.from({ length: 500 }, () => Visitor.logIn(client)));
    await each(visitors.length, i => visitors[i].open(sluice), { atOnce: 50 });
    const noise = touch(sluice, client, visitors.slice(20));
    const took = [];
    for (const visitor of visitors.slice(0, 20)) {
      await visitor.touch();
      const began = performance.now();
      await client.del(visitor.key);
      await visitor.closed();
      took.push(performance.now() - began);
    }
    t.diagnostic(`median ${median(took).toFixed(1)} ms, longest ${Math.max(...took).toFixed(1)} ms`);
    assert.ok(quick(took) < 100, took.map(Math.round).join(' '));
    await noise;
    visitors.forEach(visitor => visitor.terminate());
  });
});
