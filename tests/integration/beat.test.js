/* Beats: the gateways publish one a second to prove that each subscribed link hears what is published. Links that
 * are up and deaf, late, half dead or on another server are found and made anew. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Browser } from '../support/browser.js';
import { startFaultProxy } from '../support/fault_proxy.js';
import { startRedis } from '../support/redis.js';
import { startProxy } from '../support/redis_proxy.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const restarts = (sluice, reason) => sluice.metric(`sluice_feed_restarts_total{reason="${reason}"}`);
const isReady = async sluice => (await sluice.admin('/readyz')).status === 200;
const lines = (sluice, text) => sluice.program.stderr.filter(line => line.includes(text));
const secondsPass = seconds => {
  const began = performance.now();
  return until(() => performance.now() - began > 1000 * seconds, { within: 1000 * seconds + 5000 });
};

/* Publishes until it arrives. */
async function assertReceives(redis, browser, { within = 6000 } = {}) {
  await until(async () => {
    await redis.cli('PUBLISH', 'news', 'still here');
    return browser.takeAll().includes('still here');
  }, { what: 'a publication arrives', within });
}

describe('a good feed', () => {
  test('three gateways make about one beat a second together, and each link hears them', async t => {
    const { redis, sluice } = await stand(t);
    const others = [await startSluice(t, redis.url), await startSluice(t, redis.url)];
    await Promise.all([sluice, ...others].map(one => one.ready()));
    const before = await redis.calls('publish');
    await secondsPass(8);
    const beats = (await redis.calls('publish')) - before;
    assert.ok(beats >= 4 && beats <= 12, `${beats} beats in 8 s`);
    for (const one of [sluice, ...others]) {
      assert.equal(await one.metric('sluice_probe_enabled'), 1);
      assert.ok((await one.metric('sluice_feed_lag_seconds')) < 1);
      for (const worker of [0, 1])
        assert.ok((await one.metric(`sluice_feed_last_beat_seconds{worker="${worker}",node=""}`)) < 3);
      assert.equal(await one.metric('sluice_beats_dropped_total'), 0);
      for (const reason of ['starving', 'lag', 'stalled', 'two_servers']) assert.equal(await restarts(one, reason), 0);
    }
  });

  test('gateways without a common secret do not count each other\'s beats', async t => {
    const { redis, sluice } = await stand(t);
    const other = await startSluice(t, redis.url, { session: { secrets: ['another'] } });
    for (const one of [sluice, other])
      await until(async () => (await one.metric('sluice_beats_dropped_total')) > 0);
    for (const one of [sluice, other]) assert.ok(await isReady(one));
  });

  test('a secret that all gateways share counts, whatever their sessions are signed with', async t => {
    const { redis, sluice } = await stand(t, { replay: { secret: 'shared' } });
    const other = await startSluice(t, redis.url, { session: { secrets: ['another'] }, replay: { secret: 'shared' } });
    const before = await redis.calls('publish');
    await until(async () => (await redis.calls('publish')) >= before + 3);
    for (const one of [sluice, other]) assert.equal(await one.metric('sluice_beats_dropped_total'), 0);
  });

  test('what a stranger publishes there is dropped, counted and delivered to nobody', async t => {
    const { redis, sluice, cookie } = await stand(t);
    const browser = await sluice.open({ cookie });
    const publications = await sluice.metric('sluice_publications_total');
    await redis.cli('PUBLISH', '__sluice:beat', 'S1Bnonsense');
    await until(async () => (await sluice.metric('sluice_beats_dropped_total')) === 2); // one for each worker
    assert.equal(await sluice.metric('sluice_publications_total'), publications);
    await redis.cli('PUBLISH', 'news', 'the first');
    assert.equal(await browser.next(), 'the first');
    const refusal = await Browser.open(`${sluice.url}?channel=__sluice:beat`, { cookie }).catch(error => error);
    assert.equal(refusal.status, 403);
  });

  test('a Redis that hangs makes it not ready, and no link is taken for deaf', async t => {
    const { redis, sluice, cookie } = await stand(t);
    const browser = await sluice.open({ cookie });
    redis.pause();
    await until(async () => !(await isReady(sluice)), { within: 5000 });
    redis.resume();
    await sluice.ready();
    await assertReceives(redis, browser);
    assert.equal(await restarts(sluice, 'starving'), 0);
  });
});

describe('a link that is up and bad', () => {
  test('Redis does not get what is sent on it: found within 4 s, and made anew', async t => {
    const redis = await startRedis(t);
    const balancer = await startFaultProxy(t, () => redis);
    const sluice = await startSluice(t, balancer.url);
    const browser = await sluice.open({ cookie: await logIn(redis) });
    await secondsPass(1);
    for (const wire of balancer.subscribed) wire.up.isLost = true;
    const began = performance.now();
    await until(async () => (await restarts(sluice, 'stalled')) > 0, { within: 8000 });
    assert.ok(performance.now() - began < 5000, `${Math.round(performance.now() - began)} ms`);
    await until(async () => (await restarts(sluice, 'stalled')) === 2);
    await sluice.ready();
    await assertReceives(redis, browser);
    assert.ok(lines(sluice, 'redis link down').some(line => line.includes('Redis does not get what is sent')));
  });

  /* Redis cannot be asked which server it is, so only the beats can tell. */
  test('its server has been detached from the master: found within 4 s, and healed when it can be', async t => {
    const master = await startRedis(t, { appendonly: 'no' });
    await master.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0');
    const replica = await startRedis(t, { replicaof: `127.0.0.1 ${master.port}`, appendonly: 'no' });
    await until(async () => { // it follows, and is not only connected
      await master.cli('SET', 'a', 'key');
      return (await master.cli('WAIT', '1', '1000')) === '1';
    }, { within: 10000 });
    for (const redis of [master, replica]) await redis.cli('ACL', 'SETUSER', 'default', '-info');
    let where = master;
    const balancer = await startFaultProxy(t, () => where);
    const sluice = await startSluice(t, balancer.url, { workers: 1 });
    const browser = await sluice.open({ cookie: await logIn(master) });
    where = replica; // for the subscribed link, also if it is made anew because a beat was late
    balancer.subscribed[0].cut();
    await until(async () => (await replica.subscribers('news')) === 1, { what: 'it is at the replica', within: 10000 });
    await assertReceives(master, browser);
    const before = await restarts(sluice, 'starving');
    await replica.cli('REPLICAOF', 'NO', 'ONE');
    const began = performance.now();
    await until(async () => (await restarts(sluice, 'starving')) > before, { within: 8000 });
    assert.ok(performance.now() - began < 5000, `${Math.round(performance.now() - began)} ms`);
    await until(async () => !(await isReady(sluice)));
    assert.match((await sluice.admin('/readyz')).body, /does not receive what is published/);
    where = master;
    await sluice.ready({ within: 7000 });
    await assertReceives(master, browser);
    assert.ok((await restarts(sluice, 'starving')) <= before + 3);
  });

  test('it is later than redis.lag_seconds: made anew', async t => {
    const redis = await startRedis(t);
    const balancer = await startFaultProxy(t, () => redis);
    const sluice = await startSluice(t, balancer.url, { redis: { url: balancer.url, lag_seconds: 1 } });
    await sluice.ready();
    for (const wire of balancer.subscribed) wire.down.delay = 1800;
    await until(async () => (await restarts(sluice, 'lag')) > 0, { within: 8000 });
    await sluice.ready();
    await until(async () => (await sluice.metric('sluice_feed_lag_seconds')) < 1);
  });
});

describe('links on two servers', () => {
  const DIFFERENT = 'the links to redis are on different servers';

  test('after a failover behind an address all follow at once, and log-outs are noticed', async t => {
    const [old, young] = [await startRedis(t), await startRedis(t)];
    let now = old;
    const balancer = await startFaultProxy(t, () => now);
    const sluice = await startSluice(t, balancer.url, { session: { sweep: 0 } });
    const cookie = await logIn(old, {}, { id: 'ada' });
    await logIn(young, {}, { id: 'ada' });
    const browser = await sluice.open({ cookie });
    now = young;
    balancer.subscribed[0].cut();
    await until(() => lines(sluice, DIFFERENT).length > 0, { within: 2000, what: 'it is said' });
    await sluice.ready();
    await assertReceives(young, browser, { within: 3000 });
    assert.equal(lines(sluice, DIFFERENT).length, 1);
    const { closed } = browser;
    await until(async () => (await old.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')) === '');
    await young.cli('DEL', 'sess:ada');
    await until(() => !browser.isOpen, { within: 2000, what: 'the log-out is noticed' });
    assert.ok(closed !== null);
  });

  test('a balancer that takes turns does not make the links loop', async t => {
    const servers = [await startRedis(t), await startRedis(t)];
    const balancer = await startFaultProxy(t, ({ dials }) => servers[dials % 2]);
    const sluice = await startSluice(t, balancer.url, { workers: 1 }, { ready: false });
    await until(() => lines(sluice, DIFFERENT).length > 0);
    await until(async () => {
      const clients = await Promise.all(servers.map(one => one.cli('CLIENT', 'LIST', 'TYPE', 'pubsub')));
      const [lonely] = servers.filter((_, i) => clients[i] === '');
      return lonely && !(await lonely.cli('CLIENT', 'LIST', 'TYPE', 'normal')).includes('127.0.0.1:');
    }, { what: 'both links are on one server', within: 15000 });
    await sluice.ready();
    assert.ok(balancer.dials <= 16, `${balancer.dials} connections`);
    assert.equal(lines(sluice, DIFFERENT).length, 1);
  });
});

/* The rights that the documentation lists for Sluice's user. */
const DOCUMENTATION = await readFile(new URL('../../docs/configuration.md', import.meta.url), 'utf8');
const RULES = /^ACL SETUSER sluice on >password ([^`]*)/m.exec(DOCUMENTATION)[1].trim().split(/\s+/);

describe('where nothing can be published', () => {
  const OFF = 'the probe is off';

  async function standWithUser(t, ...rules) {
    const redis = await startRedis(t);
    await redis.cli('ACL', 'SETUSER', 'sluice', 'reset', 'on', '>word', ...RULES, ...rules);
    const sluice = await startSluice(t, redis.url.replace('//', '//sluice:word@'), { channels: [
      { match: 'news', allow: 'session', auto: true }] });
    const browser = await sluice.open({ cookie: await logIn(redis) });
    return { redis, sluice, browser };
  }

  test('the documented rights suffice', async t => {
    const { redis, sluice } = await standWithUser(t);
    await until(async () => (await sluice.metric('sluice_feed_last_beat_seconds{worker="1",node=""}')) < 1);
    assert.equal(await sluice.metric('sluice_probe_enabled'), 1);
    assert.equal(await redis.cli('ACL', 'LOG'), '');
  });

  test('without +publish the probe is off until it is granted, is said once, and all else works', async t => {
    const { redis, sluice, browser } = await standWithUser(t, '-publish');
    await until(async () => (await sluice.metric('sluice_probe_enabled')) === 0);
    await secondsPass(6);
    assert.ok(await isReady(sluice));
    await assertReceives(redis, browser);
    assert.equal(lines(sluice, OFF).length, 1);
    await redis.cli('ACL', 'SETUSER', 'sluice', '+publish');
    await until(async () => (await sluice.metric('sluice_probe_enabled')) === 1, { within: 8000 });
    await until(() => lines(sluice, 'the probe is on again').length === 1);
  });

  test('without the channel, the same', async t => {
    const { redis, sluice, browser } = await standWithUser(t, 'resetchannels', '&news', '&__redis__:invalidate');
    await until(async () => (await sluice.metric('sluice_probe_enabled')) === 0);
    await secondsPass(2);
    assert.ok(await isReady(sluice));
    await assertReceives(redis, browser);
    assert.equal(lines(sluice, OFF).length, 1);
  });

  test('without +info all works, and the log says what is missing', async t => {
    const { redis, sluice, browser } = await standWithUser(t, '-info');
    await assertReceives(redis, browser);
    assert.equal(lines(sluice, 'does not tell which server it is').length, 1);
    assert.equal(await sluice.metric('sluice_probe_enabled'), 1);
  });

  test('with redis.probe false nothing is published, and all else works', async t => {
    const redis = await startRedis(t);
    const sluice = await startSluice(t, redis.url, { redis: { url: redis.url, probe: false } });
    await secondsPass(3);
    assert.equal(await redis.calls('publish'), 0);
    assert.equal(await redis.subscribers('__sluice:beat'), 0);
    assert.equal(await sluice.metric('sluice_probe_enabled'), 0);
    assert.ok(await isReady(sluice));
  });

  test('a publish path that is broken makes it not ready, and no link is made anew', async t => {
    const redis = await startRedis(t);
    const proxy = await startProxy(t, redis);
    const sluice = await startSluice(t, proxy.url);
    await sluice.ready();
    proxy.spoils = words => words[0] === 'PUBLISH';
    await until(async () => !(await isReady(sluice)), { within: 7000 });
    assert.match((await sluice.admin('/readyz')).body, /nothing can be published/);
    await secondsPass(3);
    assert.equal(await sluice.metric('sluice_redis_reconnects_total{link="subscribe"}'), 0);
    assert.equal(await sluice.metric('sluice_redis_reconnects_total{link="command"}'), 0);
    proxy.spoils = () => false;
    await sluice.ready();
  });
});
