/* Redis tells of changed sessions over two links that it has to know of: what happens when they are
 * lost, when it will not track, when it forgets, and when it has very much to tell. Sweeps are too far
 * off to help, but where they have to. */
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

/* The log says that Redis does not track. */
const told = sluice => sluice.program.stderr.filter(line => line.includes('does not report changed sessions'));

/* Three: one that will be gone, one that will have lost a team, one that stays as it is. */
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
  await client.del(same.key); // and from here on it is told again
  await same.closed();
  less.terminate();
}

describe('links that are lost and come back', () => {
  /* The numbers that Redis has given to the gateway's links, which come over TCP. */
  async function links(client) {
    const all = (await client.sendCommand(['CLIENT', 'LIST'])).trim().split('\n')
      .map(line => Object.fromEntries(line.split(' ').map(field => field.split(/=(.*)/s))))
      .filter(({ addr }) => addr.startsWith('127.0.0.1:'));
    return {
      subscribed: all.filter(({ sub }) => sub !== '0').map(({ id }) => id),
      command: all.filter(({ sub }) => sub === '0').map(({ id }) => id) };
  }

  const kinds = {
    'the link for commands': ({ command }) => command,
    'the subscribed link': ({ subscribed }) => subscribed,
    'both': ({ command, subscribed }) => [...command, ...subscribed],
  };
  for (const [name, choose] of Object.entries(kinds))
    test(`${name}, of every worker: what changes behind its back is found`, async t => {
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
    'the link for commands': isForCommands, 'the subscribed link': isSubscribed, both: () => true }))
    test(`${name} is away for a while`, async t => {
      const redis = await startRedis(t);
      const client = await redis.client();
      const proxy = await startProxy(t, redis);
      const sluice = await startSluice(t, proxy.url, { session: NO_SWEEP, channels: CHANNELS });
      const visitors = await threeKinds(client, sluice);
      proxy.isShut = true;
      proxy.cut(which);
      await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'it is noticed' });
      await client.del(visitors.gone.key);
      await visitors.less.write({ teams: [1] });
      proxy.isShut = false;
      await assertFound(redis, client, visitors);
      await sluice.ready();
    });

  test('the subscribed link is dead, and the other one comes back before that is noticed', async t => {
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

  test('again and again', async t => {
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

describe('Redis is restarted', () => {
  const DURABLE = { appendonly: 'yes', appendfsync: 'always' };

  test('with what it knew: nobody is closed, and it tells again', async t => {
    const { redis, sluice, client } = await stand(t, { settings: DURABLE });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    await redis.kill();
    await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'it is noticed' });
    await redis.start();
    const again = await redis.client();
    await until(async () => (await reads(again)) > 0, { what: 'the session is read again' });
    await sluice.ready();
    await assertReceived(again, 'news', visitor.browsers);
    assert.ok(visitor.isUntouched);
    await redis.cli('DEL', visitor.key);
    await visitor.closed();
  });

  test('and a session has ended meanwhile', async t => {
    const { redis, sluice, client } = await stand(t, { settings: DURABLE });
    const [gone, stays] = [await Visitor.logIn(client), await Visitor.logIn(client)];
    await gone.open(sluice, { count: 3 });
    await stays.open(sluice, { count: 3 });
    await redis.kill();
    await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'it is noticed' });
    redis.settings.port = 0; // nobody hears of it but over its Unix socket
    await redis.start();
    await redis.cli('DEL', gone.key);
    await redis.kill();
    redis.settings.port = redis.port;
    assert.ok(gone.isUntouched, 'a Redis that is away is no reason');
    await redis.start();
    await gone.closed(4401, { within: 3000 });
    await assertReceived(await redis.client(), 'news', stays.browsers);
    stays.terminate();
  });

  test('empty: all sessions have ended', async t => {
    const { redis, sluice, client } = await stand(t, { settings: { appendonly: 'no' } });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    await redis.kill();
    await redis.start();
    await visitor.closed(4401, { within: 3000 });
  });

  test('it hangs, and the session ends before it goes on', async t => {
    const { redis, sluice, client } = await stand(t);
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { count: 4 });
    redis.pause();
    const deleted = client.del(visitor.key);
    await until(async () => (await sluice.admin('/readyz')).status === 503, {
      what: 'it is noticed', within: 6000 });
    assert.ok(visitor.isUntouched);
    redis.resume();
    await deleted;
    await visitor.closed(4401, { within: 3000 });
  });
});

/* What the README says that Sluice's user needs. */
const README = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const RULES = /^ACL SETUSER sluice on >password ([^`]*)/m.exec(README)[1].trim().split(/\s+/);

async function standWithUser(t, rules, { session = NO_SWEEP, ...config } = {}) {
  const redis = await startRedis(t);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'reset', 'on', '>word', ...rules);
  const sluice = await startSluice(t, redis.url.replace('//', '//sluice:word@'), {
    session, channels: CHANNELS, ...config });
  return { redis, sluice, client: await redis.client() };
}

describe('a user of Redis with rights of its own', () => {
  test('those that the README names are enough', async t => {
    const { redis, sluice, client } = await standWithUser(t, RULES);
    const visitor = await Visitor.logIn(client, { teams: [1] });
    await visitor.open(sluice, { count: 4, query: '?channel=team:1' });
    await assertReceived(client, 'team:1', visitor.browsers);
    await client.del(visitor.key);
    await visitor.closed();
    assert.deepEqual(told(sluice), []);
    assert.equal(await redis.cli('ACL', 'LOG'), '');
  });

  test('and EXPIRE besides, for session.touch', async t => {
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
    'no channel for what it has to tell': 'resetchannels &news &team:*',
  };
  for (const [name, rule] of Object.entries(refusals))
    test(`${name}: the log says so once, and the sweep does it`, async t => {
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

  test('it is granted later: with the next link it is told', async t => {
    const { redis, sluice, client } = await standWithUser(t, [...RULES, '-client|tracking']);
    await until(() => told(sluice).length > 0);
    await redis.cli('ACL', 'SETUSER', 'sluice', '+client|tracking');
    await redis.cli('CLIENT', 'KILL', 'USER', 'sluice');
    const visitor = await Visitor.logIn(client);
    await until(() => visitor.open(sluice), { within: 3000 });
    await client.del(visitor.key);
    await visitor.closed();
  });

  test('the session cannot be read any more: that is no log-out', async t => {
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

  test('it could not be read for a while, and has ended: that is found without a sweep', async t => {
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
    assert.ok(lines.length <= 2, `${lines.length} lines`); // one of each worker
  });
});

describe('a server that cannot track', () => {
  test('it knows no CLIENT at all', async t => {
    const { sluice, client } = await stand(t, {
      session: { sweep: 0.5 }, settings: { 'rename-command': ['CLIENT', '""'] } });
    await until(() => told(sluice).length > 0, { what: 'a line of the log' });
    const gone = await Visitor.logIn(client);
    await gone.open(sluice, { count: 4 });
    await client.del(gone.key);
    await gone.closed(4401, { within: 4000 });
    assert.equal(told(sluice).length, 1);
  });

  test('a proxy between knows no CLIENT TRACKING', async t => {
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

describe('Redis may track fewer keys than there are sessions', () => {
  const SESSIONS = 1000;
  const SECONDS = 3;
  const VAIN = { burst: 11000, perSecond: 5000 }; // reads for nothing that a worker allows itself

  test('nobody is closed, there is no storm, and an end is found all the same', async t => {
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

describe('express-session touches with every page view', () => {
  const PER_SECOND = 100000 / 60;
  const SECONDS = 2;

  /* EXPIRE for one after the other, evenly; gives reads and processor time, per second. */
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
    test(`100,000 times a minute, ${name}`, async t => {
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

  test('a session that nobody is connected with any more costs nothing', async t => {
    const { sluice, client } = await stand(t, { workers: 1 });
    const [gone, stays] = [await Visitor.logIn(client), await Visitor.logIn(client)];
    await gone.open(sluice);
    await stays.open(sluice);
    gone.terminate();
    await until(async () => (await sluice.metric('sluice_sessions')) === 1);
    const before = await reads(client);
    for (let i = 0; i < 50; i++) await gone.touch();
    await client.del(stays.key);
    await stays.closed();
    assert.equal(await reads(client), before + 1);
  });

  test('log-outs are found within 100 ms meanwhile', async t => {
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
