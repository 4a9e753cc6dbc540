/* Who the gateway is at Redis: users and passwords, also new ones, and TLS with a certificate of its own. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { folder } from '../support/folder.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, runSluice, startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';

const RIGHTS = ['resetkeys', '~sess:*', 'resetchannels', '&*', '-@all', '+@connection', '+get', '+subscribe',
  '+unsubscribe', '+client|tracking', '+client|caching', '+client|id', '+client|setname'];

const certificates = await makeCertificates(file);

/* Redis with TLS on the port that the gateways use; without a client's certificate it serves nobody. */
const startSecureRedis = (t, clients = 'yes') => startRedis(t, {
  'tls-cert-file': certificates.certificate,
  'tls-key-file': certificates.key,
  'tls-ca-cert-file': certificates.authority,
  'tls-auth-clients': clients,
  'tls-port': 0,
}).then(async redis => {
  await redis.cli('CONFIG', 'SET', 'port', '0');
  await redis.cli('CONFIG', 'SET', 'tls-port', redis.port);
  return redis;
});

const secureUrl = redis => redis.url.replace('redis:', 'rediss:');

async function assertServes(redis, sluice) {
  const browser = await sluice.open({ cookie: await logIn(redis, {}, { id: 'reader' }) });
  await redis.cli('PUBLISH', 'news', 'hello');
  assert.equal(await browser.next(), 'hello');
  browser.close();
}

/* Reloads the configuration, and waits until the log has `line` once more for each worker. */
async function reload(sluice, redisUrl, own, line) {
  const told = () => sluice.program.stderr.filter(one => line.test(one)).length;
  const before = told();
  await writeFile(sluice.configFile, JSON.stringify(configuration(redisUrl, own)));
  sluice.hangUp();
  await until(() => told() >= before + 2, { what: `${line} in the log` });
}

const linksLost = sluice => sluice.program.stderr.filter(line => line.includes('redis link down')).length;

async function startWithUser(t, own) {
  const redis = await startRedis(t);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'on', '>first', ...RIGHTS);
  await redis.cli('ACL', 'SETUSER', 'default', 'resetpass', '>only the tests know');
  redis.cliArguments = ['-a', 'only the tests know', '--no-auth-warning'];
  return { redis, sluice: await startSluice(t, redis.url, { redis: { username: 'sluice', ...own } }) };
}

test('logs in with redis.username and redis.password', async t => {
  const { redis, sluice } = await startWithUser(t, { password: 'first' });
  await assertServes(redis, sluice);
  const { stdout } = await runSluice(['--print-config', '--config', sluice.configFile]);
  assert.equal(JSON.parse(stdout).redis.password, '***');
});

test('a new password is taken by SIGHUP, and no link is lost', async t => {
  const { redis, sluice } = await startWithUser(t, { password: 'first' });
  const browser = await sluice.open({ cookie: await logIn(redis, {}, { id: 'reader' }) });
  await redis.cli('ACL', 'SETUSER', 'sluice', 'resetpass', '>second');
  await reload(sluice, redis.url, { redis: { username: 'sluice', password: 'second' } }, /redis log-in renewed/);
  assert.equal(linksLost(sluice), 0);
  await redis.cli('CLIENT', 'KILL', 'USER', 'sluice');
  await until(() => linksLost(sluice) >= 4, { what: 'all links are lost' });
  await sluice.ready();
  await redis.joined('news');
  await redis.cli('PUBLISH', 'news', 'again');
  assert.equal(await browser.next(), 'again');
  await assertServes(redis, sluice);
});

test('a wrong new password changes nothing, and is said', async t => {
  const { redis, sluice } = await startWithUser(t, { password: 'first' });
  await reload(sluice, redis.url, { redis: { username: 'sluice', password: 'wrong-one' } },
    /redis refuses the new log-in.*WRONGPASS/);
  assert.equal(linksLost(sluice), 0);
  assert.doesNotMatch(sluice.log, /wrong-one/);
  await assertServes(redis, sluice);
  await reload(sluice, redis.url, { redis: { username: 'sluice', password: 'first' } }, /redis log-in renewed/);
});

test('another user is taken by SIGHUP', async t => {
  const { redis, sluice } = await startWithUser(t, { password: 'first' });
  await redis.cli('ACL', 'SETUSER', 'other', 'on', '>its own', ...RIGHTS);
  await reload(sluice, redis.url, { redis: { username: 'other', password: 'its own' } }, /redis log-in renewed/);
  await until(async () => !(await redis.cli('CLIENT', 'LIST')).includes('user=sluice'), {
    what: 'all links are the other user\'s' });
  await sluice.ready();
  await assertServes(redis, sluice);
});

test('a password in a file is read at each reconnect, and by SIGHUP', async t => {
  const path = join(await folder(t), 'password');
  await writeFile(path, 'first\n');
  const own = { password: `file:${path}` };
  const { redis, sluice } = await startWithUser(t, own);
  await assertServes(redis, sluice);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'resetpass', '>second');
  await writeFile(path, 'second\n');
  await redis.cli('CLIENT', 'KILL', 'USER', 'sluice');
  await until(() => linksLost(sluice) >= 4, { what: 'all links are lost' });
  await sluice.ready();
  await assertServes(redis, sluice);
  await redis.cli('ACL', 'SETUSER', 'sluice', 'resetpass', '>third');
  await writeFile(path, 'third\n');
  const lost = linksLost(sluice);
  await reload(sluice, redis.url, { redis: { username: 'sluice', ...own } }, /redis log-in renewed/);
  assert.equal(linksLost(sluice), lost);
});

test('a client certificate for a Redis that wants one', async t => {
  const redis = await startSecureRedis(t);
  const tls = { ca: certificates.authority };
  const own = { ...tls, certificate: certificates.certificate, key: certificates.key };
  await assertServes(redis, await startSluice(t, secureUrl(redis), { redis: own }));
});

test('redis.verify: the name, the authority, or nothing', async t => {
  const redis = await startSecureRedis(t, 'no');
  const other = await makeCertificates(t);
  const url = secureUrl(redis);
  const byOtherName = url.replace('127.0.0.1', '127.0.0.2');
  await redis.cli('CONFIG', 'SET', 'bind', '127.0.0.1 127.0.0.2');
  const strict = await startSluice(t, byOtherName, { redis: { ca: certificates.authority } }, { ready: false });
  await strict.program.line(/certificate/);
  await assertServes(redis, await startSluice(t, byOtherName, { redis: { ca: certificates.authority, verify: 'ca' } }));
  const stranger = await startSluice(t, url, { redis: { ca: other.authority, verify: 'ca' } }, { ready: false });
  await stranger.program.line(/certificate/);
  const blind = await startSluice(t, url, { redis: { verify: 'none' } });
  assert.match(blind.log, /the certificate of Redis is not verified/);
  await assertServes(redis, blind);
});
