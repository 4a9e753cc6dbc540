/* Other addresses, to connect to Redis and to listen on: Unix sockets, users, databases, IPv6. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Browser } from '../support/browser.js';
import { folder } from '../support/folder.js';
import { RawClient } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';

/* A user logs in, connects, and receives a publication. */
async function assertServes(redis, sluice, url = sluice.url) {
  const browser = await Browser.open(url, { cookie: await logIn(redis) });
  await redis.cli('PUBLISH', 'news', 'hello');
  assert.equal(await browser.next(), 'hello');
  browser.terminate();
}

test('Redis over a Unix socket', async t => {
  const redis = await startRedis(t);
  await assertServes(redis, await startSluice(t, `unix://${redis.socket}`));
});

test('Redis over a Unix socket, with another database', async t => {
  const redis = await startRedis(t);
  redis.cliArguments = ['-n', '3'];
  await assertServes(redis, await startSluice(t, `unix://${redis.socket}?db=3`));
});

test('Redis with a database number: sessions of other databases are not found', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, `${redis.url}/5`);
  const elsewhere = await logIn(redis);
  await assert.rejects(sluice.open({ cookie: elsewhere }), { status: 401 });
  redis.cliArguments = ['-n', '5'];
  await assertServes(redis, sluice);
});

test('Redis with a password', async t => {
  const redis = await startRedis(t, { requirepass: 'open sesame', cliArguments: ['-a', 'open sesame', '--no-auth-warning'] });
  await assertServes(redis, await startSluice(t, redis.url.replace('//', '//:open%20sesame@')));
});

test('Redis with a user that may only read sessions and subscribe', async t => {
  const redis = await startRedis(t);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'on', '>p@ss/word', '~sess:*', '&*', '-@all',
    '+get', '+subscribe', '+unsubscribe', '+ping', '+select', '+client|tracking', '+client|id', '+hello');
  await redis.cli('ACL', 'SETUSER', 'default', 'resetpass', '>only the tests know');
  redis.cliArguments = ['-a', 'only the tests know', '--no-auth-warning'];
  await assertServes(redis, await startSluice(t, redis.url.replace('//', '//sluice:p%40ss%2Fword@')));
});

test('with a wrong password it keeps running, is not ready, and logs why', async t => {
  const redis = await startRedis(t, { requirepass: 'right', cliArguments: ['-a', 'right', '--no-auth-warning'] });
  const sluice = await startSluice(t, redis.url.replace('//', '//:wrong-one@'), {}, { ready: false });
  await sluice.program.line(/WRONGPASS/);
  assert.equal((await sluice.admin('/readyz')).status, 503);
  assert.doesNotMatch(sluice.log, /wrong-one/);
  await redis.cli('CONFIG', 'SET', 'requirepass', 'wrong-one');
  await sluice.ready();
});

test('listening on a Unix socket', async t => {
  const redis = await startRedis(t);
  const socket = join(await folder(t), 'sluice.sock');
  const sluice = await startSluice(t, redis.url, { listen: `unix:${socket}` });
  assert.equal(sluice.address, `unix:${socket}`);
  await assertServes(redis, sluice, `ws+unix://${socket}:/ws`);
});

test('takes over a Unix socket that a crashed process has left', async t => {
  const redis = await startRedis(t);
  const listen = `unix:${join(await folder(t), 'sluice.sock')}`;
  const crashed = await startSluice(t, redis.url, { listen });
  await crashed.kill();
  const sluice = await startSluice(t, redis.url, { listen });
  await assertServes(redis, sluice, `ws+unix://${listen.slice('unix:'.length)}:/ws`);
});

test('removes its Unix socket at the end', async t => {
  const redis = await startRedis(t);
  const socket = join(await folder(t), 'sluice.sock');
  const sluice = await startSluice(t, redis.url, { listen: `unix:${socket}` });
  assert.ok(existsSync(socket));
  assert.equal(await sluice.stop(), 0);
  assert.ok(!existsSync(socket));
});

test('a process that starts while another one drains keeps its own Unix socket', async t => {
  const redis = await startRedis(t);
  const socket = join(await folder(t), 'sluice.sock');
  const url = `ws+unix://${socket}:/ws`;
  const own = { listen: `unix:${socket}`, drain: { seconds: 60 } };
  const old = await startSluice(t, redis.url, own);
  const cookie = await logIn(redis);
  const stayers = await Promise.all([1, 2, 3].map(() => Browser.open(url, { cookie })));

  old.program.signal('SIGTERM');
  await until(() => RawClient.connect(old.target).then(client => client.destroy(), () => true), {
    what: 'the old process no longer listens' });
  const successor = await startSluice(t, redis.url, { ...own, drain: { seconds: 0 } });
  await assertServes(redis, successor, url);
  assert.equal(old.program.exited, false, 'the old process still drains');
  for (const stayer of stayers) stayer.terminate();
  assert.equal(await old.program.exit(), 0);

  await assertServes(redis, successor, url);
  assert.equal(await successor.stop(), 0);
  assert.ok(!existsSync(socket));
});

test('listening on IPv6', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, { listen: '[::1]:0' });
  await assertServes(redis, sluice, `ws://[::1]:${sluice.port}/ws`);
});

test('Redis by host name', async t => {
  const redis = await startRedis(t, { bind: ['127.0.0.1', '-::1'] });
  await assertServes(redis, await startSluice(t, redis.url.replace('127.0.0.1', 'localhost')));
});

test('another endpoint path', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, { path: '/live/updates' });
  await assertServes(redis, sluice, sluice.url.replace('/ws', '/live/updates'));
  await assert.rejects(sluice.open({ cookie: await logIn(redis) }), { status: 404 });
});
