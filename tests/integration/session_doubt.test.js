/* Who may have lost the log-in gets nothing meanwhile: after Redis' word that the session has changed, and when
 * Redis cannot be asked for session.unverified_seconds. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { isForCommands, isSubscribed, startProxy } from '../support/redis_proxy.js';
import { startSluice } from '../support/sluice.js';
import { standAsUser } from '../support/stand.js';
import { Page } from '../support/v1.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor } from '../support/visitors.js';

let redis, client;
before(async () => {
  redis = await startRedis(file);
  client = await redis.client();
});

/* One worker, so that publications and Redis' word about sessions come over the same link. */
async function gateway(t, { session = {}, ...own } = {}) {
  const proxy = await startProxy(t, redis);
  const sluice = await startSluice(t, proxy.url, { workers: 1, session: { ...NO_SWEEP, ...session }, ...own });
  return { proxy, sluice };
}

async function publish(channel, count) {
  for (let n = 0; n < count; n++) await client.publish(channel, `${n}`);
}

const numbers = count => Array.from({ length: count }, (_, n) => `${n}`);

test('a session is deleted while the link is held: nothing that was published afterwards is delivered', async t => {
  const { proxy, sluice } = await gateway(t);
  const leaver = await Visitor.logIn(client);
  const stayer = await Visitor.logIn(client, { userId: 'u2' });
  const [browser] = await leaver.open(sluice);
  const page = await Page.open(sluice, { cookie: leaver.cookie });
  const [other] = await stayer.open(sluice);

  proxy.keeps = isSubscribed;
  await client.del(leaver.key);
  await publish('news', 30);
  await until(() => proxy.kept.filter(one => one.includes('news')).length === 30, { what: 'the proxy holds all' });
  proxy.release();
  await leaver.closed();
  assert.equal((await page.closed()).code, 4401);
  assert.deepEqual(browser.takeAll(), []);
  assert.deepEqual(page.takeAll(), []);
  for (const number of numbers(30)) assert.equal(await other.next(), number);
});

test('a session changes, and stays: what was published meanwhile arrives, once and in order', async t => {
  const { proxy, sluice } = await gateway(t);
  const visitor = await Visitor.logIn(client);
  const [browser] = await visitor.open(sluice);
  proxy.keeps = isForCommands;
  await visitor.write({ theme: 'dark' });
  await until(() => proxy.invalidations > 0, { what: 'Redis says that the session has changed' });
  await publish('news', 20);
  const asked = proxy.seen.length;
  await until(async () => (await sluice.metric('sluice_publications_total')) >= 20, { what: 'the gateway has them' });
  assert.deepEqual(browser.takeAll(), []);
  proxy.release();
  for (const number of numbers(20)) assert.equal(await browser.next(), number);
  await client.publish('news', 'after');
  assert.equal(await browser.next(), 'after');
  assert.ok(proxy.seen.length > asked - 1);
});

test('a channel that the new record does not allow: what waited on it is not delivered', async t => {
  const { proxy, sluice } = await gateway(t);
  const visitor = await Visitor.logIn(client, { teams: ['7', '8'] });
  const page = await Page.open(sluice, { cookie: visitor.cookie, query: '?channel=team:7&channel=team:8' });
  proxy.keeps = isSubscribed;
  await visitor.write({ teams: ['8'] });
  await client.publish('team:7', 'secret');
  await client.publish('team:8', 'fine');
  await until(() => proxy.kept.filter(one => one.includes('team:')).length === 2, { what: 'the proxy holds both' });
  proxy.release();
  assert.deepEqual(await page.next(), { type: 'unsubscribed', channel: 'team:7', reason: 'revoked' });
  assert.deepEqual(await page.next(), { type: 'publication', channel: 'team:8', data: 'fine' });
});

test('Redis does not answer the read: what was published arrives after a second', async t => {
  const { proxy, sluice } = await gateway(t);
  const visitor = await Visitor.logIn(client);
  const [browser] = await visitor.open(sluice);
  proxy.keeps = isForCommands;
  await visitor.touch();
  await until(() => proxy.invalidations > 0, { what: 'Redis says that the session has changed' });
  await publish('news', 3);
  for (const number of numbers(3)) assert.equal(await browser.next(), number);
});

test('more waits than limits.queue_bytes: the page is told of the gap', async t => {
  const { proxy, sluice } = await gateway(t, { limits: { queue_bytes: 1024 } });
  const visitor = await Visitor.logIn(client);
  const page = await Page.open(sluice, { cookie: visitor.cookie });
  proxy.keeps = isForCommands;
  await visitor.touch();
  await until(() => proxy.invalidations > 0, { what: 'Redis says that the session has changed' });
  for (let n = 0; n < 3; n++) await client.publish('news', `${n}`.padEnd(600, '.'));
  assert.deepEqual(await page.next(), { type: 'gap', channel: 'news' });
  proxy.release();
  const { data } = await page.nextOf('publication');
  assert.match(data, /^0\.+$/);
});

test('no link for commands: after session.unverified_seconds a publication closes the connection', async t => {
  const { proxy, sluice } = await gateway(t, { session: { unverified_seconds: 1 } });
  const visitor = await Visitor.logIn(client);
  const [browser] = await visitor.open(sluice);
  proxy.isShut = true;
  proxy.cut(isForCommands);
  await client.publish('news', 'at once');
  assert.equal(await browser.next(), 'at once');
  await sluice.program.line(/sessions cannot be verified/);
  assert.ok(browser.isOpen, 'without a publication it stays');
  await client.publish('news', 'too late');
  const { code, reason } = await browser.closed();
  assert.deepEqual({ code, reason }, { code: 1013, reason: 'the session cannot be verified' });
  assert.deepEqual(browser.takeAll(), []);

  proxy.isShut = false;
  await sluice.ready();
  const [again] = await visitor.open(sluice);
  await client.publish('news', 'again');
  assert.equal(await again.next(), 'again');
});

test('the link comes back within that time, or before anything is published: nobody is closed', async t => {
  const { proxy, sluice } = await gateway(t, { session: { unverified_seconds: 1 } });
  const visitor = await Visitor.logIn(client);
  const [browser] = await visitor.open(sluice);
  proxy.isShut = true;
  proxy.cut(isForCommands);
  await sluice.program.line(/sessions cannot be verified/);
  proxy.isShut = false;
  await sluice.ready();
  await until(async () => {
    await client.publish('news', 'back');
    return browser.takeAll().includes('back');
  }, { what: 'publications arrive again' });
  assert.ok(visitor.isUntouched);
});

test('Redis denies the read of one session: only its connections are closed, and only after that time', async t => {
  const { sluice, acl } = await standAsUser(t, redis, {
    workers: 1, session: { ...NO_SWEEP, unverified_seconds: 1 } });
  const denied = await Visitor.logIn(client);
  const [browser] = await denied.open(sluice);
  const free = await Visitor.logIn(client, { userId: 'u2' });
  const [other] = await free.open(sluice);
  await acl('resetkeys', `~${free.key}`);
  await denied.touch();
  await until(async () => {
    await client.publish('news', 'x');
    return !browser.isOpen;
  }, { what: 'the connection is closed' });
  assert.equal((await browser.closed()).code, 1013);
  assert.ok(other.isOpen);
  assert.ok((await sluice.metric('sluice_session_rereads_total')) >= 1);
});

test('a rule is taken away while sessions cannot be read: what nobody may have ends at once', async t => {
  const { proxy, sluice } = await gateway(t);
  const visitor = await Visitor.logIn(client, { teams: ['7'] });
  const page = await Page.open(sluice, { cookie: visitor.cookie, query: '?channel=team:7' });
  const [plain] = await visitor.open(sluice, { query: '?channel=team:7' });
  proxy.isShut = true;
  proxy.cut(isForCommands);
  const config = JSON.parse(await readFile(sluice.configFile, 'utf8'));
  config.channels = config.channels.filter(({ match }) => match !== 'team:{teams}');
  await writeFile(sluice.configFile, JSON.stringify(config));
  sluice.hangUp();
  assert.deepEqual(await page.next(), { type: 'unsubscribed', channel: 'team:7', reason: 'revoked' });
  await client.publish('team:7', 'secret');
  await client.publish('news', 'fine');
  assert.deepEqual(await page.next(), { type: 'publication', channel: 'news', data: 'fine' });
  assert.equal(await plain.next(), 'fine');
});
