/* Redis' ACL takes channels away and gives them back: who waits is told at once, who is connected receives again, and
 * no link has to be made anew for it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Browser } from '../support/browser.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { standAsUser } from '../support/stand.js';
import { Page } from '../support/v1.js';
import { Visitor } from '../support/visitors.js';
import { until } from '../support/wait.js';

const PROBLEM = 'Redis denies the gateway a channel, see its ACL';
const LOST = 'sluice_redis_reconnects_total{link="subscribe"}';
const HEALED = { within: 6000 };
let redis, client;

before(async () => {
  redis = await startRedis(file);
  client = await redis.client();
});

async function assertRefused(opening) {
  const began = performance.now();
  const refusal = await opening.then(() => assert.fail('the upgrade was accepted'), error => error);
  assert.equal(refusal.status, 503, refusal.message);
  assert.equal(refusal.body?.trim(), PROBLEM);
  assert.match(refusal.headers['retry-after'], /^[1-9]\d*$/);
  assert.ok(performance.now() - began < 500, 'it is not refused by the time limit');
}

/* Without the channels of its rules. */
async function takeAway(sluice, acl) {
  await acl('resetchannels', '&__redis__:invalidate'); // Redis closes the links that have others
  await sluice.reaches('sluice_channels_refused', 2); // news and user:u1
}

test('a channel that everybody has: newcomers are refused at once, and connections receive again', async t => {
  const { sluice, acl } = await standAsUser(t, redis, { workers: 1 }); // a check knows what its worker wants
  const visitor = await Visitor.logIn(client);
  const page = await Page.open(sluice, { cookie: visitor.cookie });
  const [plain] = await visitor.open(sluice);
  await takeAway(sluice, acl);
  await assertRefused(Browser.open(sluice.url, { cookie: visitor.cookie }));
  const check = await fetch(`${sluice.url.replace('ws:', 'http:')}/check`, { headers: { cookie: visitor.cookie } });
  assert.equal(check.status, 503);
  assert.deepEqual(await page.next(), { type: 'gap' }, 'the links were lost and are back');

  const lost = await sluice.metric(LOST);
  await acl('allchannels');
  const gaps = [await page.next(HEALED), await page.next(HEALED)];
  assert.deepEqual(gaps.map(({ type, channel }) => `${type} ${channel}`).sort(), ['gap news', 'gap user:u1']);
  await client.publish('news', '"back"');
  assert.equal((await page.next()).data, 'back');
  assert.equal((await plain.nextMessage()).data.toString(), '"back"');
  (await Page.open(sluice, { cookie: visitor.cookie })).terminate();
  await sluice.reaches('sluice_channels_refused', 0);
  assert.equal(await sluice.metric(LOST), lost, 'no link was made anew');
});

test('a channel that a page asks for: the error comes at once, and later it is subscribed', async t => {
  const { sluice, acl } = await standAsUser(t, redis);
  const { cookie } = await Visitor.logIn(client);
  await acl('resetchannels', '&__redis__:invalidate', '&__sluice:*', '&news', '&user:*');
  const page = await Page.open(sluice, { cookie });
  const began = performance.now();
  for (let i = 0; i < 3; i++) {
    const { type, code, message } = await page.subscribe('public:a');
    assert.deepEqual([type, code, message], ['error', 'unavailable', PROBLEM]);
  }
  assert.ok(performance.now() - began < 800);
  await assertRefused(Browser.open(`${sluice.url}?channel=public:b`, { cookie }));
  await sluice.reaches('sluice_channels_refused', 0); // nobody wants them any more
  await acl('allchannels');
  assert.equal((await page.subscribe('public:a')).type, 'subscribed');
  await client.publish('public:a', '1');
  assert.equal((await page.next()).data, 1);
});

test('SUBSCRIBE itself, while the links come back: nobody is let in to hear nothing', async t => {
  const { sluice, acl, kill } = await standAsUser(t, redis, { workers: 4 });
  const visitor = await Visitor.logIn(client);
  const pages = await Promise.all(Array.from({ length: 8 }, () => Page.open(sluice, { cookie: visitor.cookie })));
  await acl('-subscribe');
  await kill();
  await until(async () => (await sluice.metric('sluice_channels_refused')) === 2);
  await until(async () => !/_link_up{.*} 0$/m.test((await sluice.admin('/metrics')).body), { what: 'all links are back' });
  for (let i = 0; i < 8; i++) await assertRefused(Browser.open(sluice.url, { cookie: visitor.cookie }));
  await acl('+subscribe');
  await until(async () => (await sluice.metric('sluice_channels_refused')) === 0, HEALED);
  await client.publish('news', '"back"');
  for (const page of pages) assert.equal((await page.nextOf('publication')).data, 'back');
  await client.del(visitor.key);
  for (const page of pages) assert.equal((await page.closed()).code, 4401);
});

test('the channel of changed sessions: a log-out is noticed again', async t => {
  const { sluice, acl } = await standAsUser(t, redis);
  const visitor = await Visitor.logIn(client);
  await visitor.open(sluice, { count: 4 });
  await acl('resetchannels', '&news', '&user:*');
  await until(() => sluice.log.includes('redis does not report changed sessions'));
  const lost = await sluice.metric(LOST);
  await acl('allchannels');
  await until(async () => {
    const other = await Visitor.logIn(client);
    await other.open(sluice);
    await client.del(other.key);
    return other.closed(4401, { within: 500 }).then(() => true, () => false);
  }, HEALED);
  await client.del(visitor.key);
  await visitor.closed();
  assert.equal(await sluice.metric(LOST), lost, 'no link was made anew');
});
