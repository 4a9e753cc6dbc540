/* Redis goes away and comes back: connections stay, new ones are refused, and operators can see it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

/* The refusal of an upgrade, and the milliseconds it took. */
async function refusalOf(sluice, cookie) {
  const began = performance.now();
  const refusal = await sluice.open({ cookie }).then(
    () => assert.fail('the upgrade was accepted'), error => error);
  return { refusal, took: performance.now() - began };
}

async function assertUnavailable(sluice, cookie) {
  const { refusal, took } = await refusalOf(sluice, cookie);
  assert.equal(refusal.status, 503, refusal.message);
  assert.match(refusal.headers['retry-after'], /^[1-9]\d*$/);
  assert.equal(refusal.headers.connection, 'close');
  assert.ok(took < 1000, `${Math.round(took)} ms`);
}

/* Publishes until every browser has received it. Returns the milliseconds it took. */
async function untilReceived(redis, browsers, payload) {
  const began = performance.now();
  const waiting = new Set(browsers);
  await until(async () => {
    await redis.cli('PUBLISH', 'news', payload);
    for (const browser of waiting)
      if (browser.takeAll().includes(payload)) waiting.delete(browser);
    return waiting.size === 0;
  }, { what: 'publications arrive again', within: 10000 });
  return performance.now() - began;
}

test('Redis is killed: connections stay, upgrades get 503, and everything works again when it is back', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const browsers = await Promise.all(Array.from({ length: 6 }, () => sluice.open({ cookie })));

  await redis.kill();
  await until(async () => (await sluice.admin('/readyz')).status === 503, { what: '/readyz says 503' });
  await assertUnavailable(sluice, cookie);
  const { body } = await sluice.admin('/readyz');
  assert.match(body, /redis/i);
  assert.equal((await sluice.admin('/livez')).status, 200);
  assert.ok(browsers.every(browser => browser.isOpen));

  await redis.start();
  const took = await untilReceived(redis, browsers, 'back');
  assert.ok(took < 1000, `${Math.round(took)} ms after Redis answered`);
  assert.ok(browsers.every(browser => browser.isOpen));
  await sluice.ready();
  assert.ok((await sluice.metric('sluice_redis_reconnects_total{link="subscribe"}')) >= 1);
  assert.ok((await sluice.metric('sluice_redis_reconnects_total{link="command"}')) >= 1);

  (await sluice.open({ cookie: await logIn(redis) })).terminate();
});

test('Redis is down for long: publications arrive within a second of its return', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const browser = await sluice.open({ cookie });
  await redis.kill();
  const began = performance.now(); // long enough for every wait between attempts to be the longest
  await until(() => performance.now() - began > 8000, { within: 10000 });
  await redis.start();
  const took = await untilReceived(redis, [browser], 'back');
  assert.ok(took < 1000, `${Math.round(took)} ms after Redis answered`);
});

test('Redis hangs: an upgrade gets 503 within a second, and readiness turns red', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const browser = await sluice.open({ cookie });

  redis.pause();
  await assertUnavailable(sluice, cookie);
  await sluice.unlinked({ within: 6000 });
  await assertUnavailable(sluice, cookie);

  redis.resume();
  await sluice.ready();
  await untilReceived(redis, [browser], 'awake');
  (await sluice.open({ cookie })).terminate();
});

test('a Redis that hangs briefly keeps its links', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const browser = await sluice.open({ cookie });
  redis.pause();
  await until(async () => (await sluice.admin('/livez')).status === 200);
  redis.resume();
  await redis.cli('PUBLISH', 'news', 'never mind');
  assert.equal(await browser.next(), 'never mind');
  assert.equal(await sluice.metric('sluice_redis_reconnects_total{link="subscribe"}'), 0);
});

test('starts without a Redis, and works as soon as there is one', async t => {
  const port = await freePort();
  const sluice = await startSluice(t, `redis://127.0.0.1:${port}`, {}, { ready: false });
  assert.equal((await sluice.admin('/readyz')).status, 503);
  assert.equal((await sluice.admin('/livez')).status, 200);
  await assertUnavailable(sluice, 'connect.sid=s%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A');

  const redis = await startRedis(t, { port });
  await sluice.ready();
  const browser = await sluice.open({ cookie: await logIn(redis) });
  await redis.cli('PUBLISH', 'news', 'hello');
  assert.equal(await browser.next(), 'hello');
});

test('an upgrade that needs neither session nor channel gets 503, too', async t => {
  const { redis, sluice } = await stand(t, { session: { required: false } });
  (await sluice.open()).terminate();
  await redis.kill();
  await until(async () => (await sluice.admin('/readyz')).body.split('subscriptions').length > 2, {
    what: 'both links for subscriptions are down' });
  await assertUnavailable(sluice);
  await redis.start();
  await sluice.ready();
  (await sluice.open()).terminate();
});

test('a Redis that requires a password is not ready, and the log says why', async t => {
  const redis = await startRedis(t);
  await redis.cli('CONFIG', 'SET', 'requirepass', 'open sesame');
  const sluice = await startSluice(t, redis.url, {}, { ready: false });
  await sluice.program.line(/NOAUTH|auth/i);
  assert.equal((await sluice.admin('/readyz')).status, 503);
  const client = await redis.client({ password: 'open sesame' });
  await client.configSet('requirepass', '');
  await sluice.ready();
});

test('CLIENT KILL closes the links: they are back within a second', async t => {
  const { redis, sluice, cookie } = await stand(t);
  const browser = await sluice.open({ cookie });
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  assert.ok((await untilReceived(redis, [browser], 'again')) < 1000);
  await sluice.ready();
  (await sluice.open({ cookie })).terminate();
});

test('every upgrade that waits for a Redis that dies gets 503', async t => {
  const { redis, sluice, cookie } = await stand(t);
  redis.pause();
  const refusals = Array.from({ length: 20 }, () => refusalOf(sluice, cookie));
  await redis.kill();
  for (const { refusal } of await Promise.all(refusals)) assert.equal(refusal.status, 503);
});

test('logs once why Redis is down, and again when the reason changes', async t => {
  const { redis, sluice } = await stand(t, { workers: 1 });
  const count = pattern => (sluice.log.match(pattern) ?? []).length;
  await redis.kill();
  await sluice.program.line(/redis link down link=command .*refused/);
  redis.settings.requirepass = 'changed';
  redis.cliArguments.push('-a', 'changed', '--no-auth-warning');
  await redis.start();
  await sluice.program.line(/redis link down link=command .*NOAUTH/);
  assert.equal(count(/redis link down link=command .*NOAUTH/g), 1);
});
